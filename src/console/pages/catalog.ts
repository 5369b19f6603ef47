// The catalog: what is sold, as which license it is made, what Cryptlex says of its ids, and what was made of it.
// Takes the rules that run and the journal's counts, gives the page. Asks Cryptlex only when the button is pressed.

import type { Context } from 'hono';
import { html } from 'hono/html';
import { written } from '../../core/format.ts';
import type { JsonObject, JsonValue } from '../../core/model.ts';
import type { CatalogFindings } from '../../doctor/check-catalog.ts';
import type { RuleSet } from '../../engine/rules/rule-set.ts';
import type { IssuedLicenses } from '../../journal/archive.ts';
import { aboutPath, badge, cut, eventPath } from '../format.ts';
import { answerPage, csrfField, type Html } from '../layout.ts';
import type { ConsoleApp, ConsoleEnv, ConsoleParts } from '../parts.ts';
import { ago, count } from '../times.ts';

const ROWS_OF_PAGE = 50;
const LAST_MAX = 3;
const QUERY_LENGTH_MAX = 200;

interface Entry {
  readonly key: string;
  readonly fields: JsonObject;
}

/** One page of what one source sells. */
interface Listing {
  readonly ruleSet: RuleSet;
  readonly entries: readonly Entry[];
  /** How many fit the search, and how many there are. */
  readonly found: number;
  readonly all: number;
  readonly isLast: boolean;
}

interface Shown {
  readonly findings: CatalogFindings | undefined;
  readonly issued: ReadonlyMap<string, IssuedLicenses>;
  readonly nowMs: number;
}

export function addCatalog(app: ConsoleApp, parts: ConsoleParts): void {
  app.get('/catalog', async (c) => answerCatalog(c, parts, await parts.askAboutCatalog(false)));
  app.post('/catalog', async (c) => answerCatalog(c, parts, await parts.askAboutCatalog(true)));
}

async function answerCatalog(
  c: Context<ConsoleEnv>,
  { archive, clock, currentRules }: ConsoleParts,
  findings: CatalogFindings | undefined,
) {
  const { ruleSets, env } = currentRules();
  const query = (c.req.query('q') ?? '').trim().slice(0, QUERY_LENGTH_MAX);
  const source = c.req.query('source') ?? '';
  const page = Math.max(0, Math.trunc(Number(c.req.query('page') ?? 0)) || 0);
  const listings = [...ruleSets.values()]
    .filter((ruleSet) => source === '' || ruleSet.source === source)
    .map((ruleSet) => listingOf(ruleSet, query, source === '' ? 0 : page));
  const fallback = env['CRYPTLEX_PRODUCT_ID'];
  const productIds = listings.flatMap(({ entries }) =>
    entries.flatMap(({ fields }) => idOf(fields)),
  );
  const wanted = fallback === undefined ? productIds : [...productIds, fallback];
  const issued = await archive.issued(wanted, LAST_MAX);
  const shown = { findings, issued, nowMs: clock.nowMs() };
  return answerPage(c, {
    title: 'Catalog',
    area: 'Catalog',
    styles: ['catalog'],
    body: html`<div class="head"><h1>Catalog</h1></div>
      <p class="soft">What you sell, and the license that is made for it: from <code>catalog</code> and <code>catalogFile</code> of the rules that run. Licenses are counted by product, so entries of one product share them.</p>
      <div class="cat-bar">${searchForm(query)}${checkForm(c, findings, shown.nowMs)}</div>
      ${notesOf(findings)}
      ${listings.map((listing) => listingPart(listing, { ...shown, query, page, source }))}
      ${listings.length === 0 ? html`<p class="card empty">There is no such source. <a href="/console/catalog">Show all</a></p>` : ''}
      ${fallbackPart(fallback, listings, shown)}`,
  });
}

/** The journal knows products, so rows of one product share what was made of it. */
function idOf({ productId }: JsonObject): readonly string[] {
  return typeof productId === 'string' && productId !== '' ? [productId] : [];
}

function listingOf(ruleSet: RuleSet, query: string, page: number): Listing {
  const wanted = query.toLowerCase();
  const entries: Entry[] = [];
  let found = 0;
  for (const [key, fields] of ruleSet.catalog.entries()) {
    if (wanted !== '' && !fits(key, fields, wanted)) continue;
    if (found >= page * ROWS_OF_PAGE && entries.length < ROWS_OF_PAGE)
      entries.push({ key, fields });
    found += 1;
  }
  const isLast = found <= (page + 1) * ROWS_OF_PAGE;
  return { ruleSet, entries, found, all: ruleSet.catalog.size, isLast };
}

function fits(key: string, fields: JsonObject, wanted: string): boolean {
  if (key.toLowerCase().includes(wanted)) return true;
  return ['productId', 'licenseTemplateId'].some((name) =>
    String(fields[name] ?? '')
      .toLowerCase()
      .includes(wanted),
  );
}

// ---- What can be asked ----------------------------------------------------------------------

function searchForm(query: string): Html {
  return html`<form method="get" action="/console/catalog" role="search">
    <label for="q">Key, product or template</label>
    <div class="actions"><input id="q" name="q" type="search" value="${query}" data-search autocomplete="off" spellcheck="false" maxlength="${QUERY_LENGTH_MAX}">
      <button class="plain" type="submit">Search</button></div></form>`;
}

function checkForm(
  c: Context<ConsoleEnv>,
  findings: CatalogFindings | undefined,
  nowMs: number,
): Html {
  const { search } = new URL(c.req.url);
  return html`<form method="post" action="/console/catalog${search}" class="actions">${csrfField(c)}
    <p class="hint">${findings === undefined ? 'The ids were not looked up in Cryptlex yet.' : html`Looked up in Cryptlex ${ago(findings.askedAtMs, nowMs)}.`}</p>
    <button type="submit">Look the ids up in Cryptlex</button></form>`;
}

function notesOf(findings: CatalogFindings | undefined): Html | '' {
  if (findings === undefined) return '';
  const kinds = [...findings.verdicts.values()].map(({ kind }) => kind);
  const unknown = kinds.filter((kind) => kind === 'unknown').length;
  const lacking = kinds.filter((kind) => kind === 'lacks-metadata').length;
  return html`${findings.notes.map((note) => html`<p class="message warn">${note}</p>`)}
    ${unknown > 0 ? html`<p class="message bad" role="status">${count(unknown)} ${unknown === 1 ? 'id is' : 'ids are'} not known to Cryptlex. Copy them from Cryptlex again; test and live accounts have different ones.</p>` : ''}
    ${lacking > 0 ? html`<p class="message warn" role="status">${count(lacking)} ${lacking === 1 ? 'template requires' : 'templates require'} metadata that no rule writes: Cryptlex refuses such a license.</p>` : ''}
    ${unknown + lacking === 0 && findings.notes.length === 0 ? html`<p class="message good" role="status">Cryptlex knows every id that the rules name.</p>` : ''}`;
}

// ---- The tables -----------------------------------------------------------------------------

function listingPart(
  { ruleSet, entries, found, all, isLast }: Listing,
  shown: Shown & { readonly query: string; readonly page: number; readonly source: string },
): Html {
  const { source, beside, provider } = ruleSet;
  const files = Object.keys(beside);
  const { query, page } = shown;
  const size =
    query === ''
      ? `${count(all)} ${all === 1 ? 'entry' : 'entries'}`
      : `${count(found)} of ${count(all)} entries`;
  return html`<section class="card stack" aria-labelledby="cat-${source}">
    <div class="head"><h2 id="cat-${source}">${source}</h2><span class="hint">${size} · ${files.length === 0 ? `in ${source}.yaml` : files.join(', ')}${source === provider ? '' : ` · ${provider}`}</span></div>
    ${entries.length === 0 ? emptyPart(all, query) : tableOf(entries, ruleSet, shown)}
    <nav class="pages" aria-label="Pages of ${source}">${page > 0 && shown.source !== '' ? pageLink('Before', source, query, page - 1) : ''}${isLast ? '' : pageLink('Next', source, query, shown.source === '' ? 1 : page + 1)}</nav>
  </section>`;
}

function pageLink(text: string, source: string, q: string, page: number): Html {
  const search = new URLSearchParams({ source, ...(q === '' ? {} : { q }), page: String(page) });
  return html`<a class="button plain" href="/console/catalog?${search}">${text} ${ROWS_OF_PAGE}</a>`;
}

function emptyPart(all: number, query: string): Html {
  const text =
    all > 0 && query !== ''
      ? 'No entry is like this.'
      : 'No entries. Which product is licensed then, the rules say.';
  return html`<p class="soft">${text}</p>`;
}

function tableOf(entries: readonly Entry[], { source }: RuleSet, shown: Shown): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Catalog of ${source}"><table class="cat">
    <thead><tr><th scope="col">Key</th><th scope="col">Product</th><th scope="col">Template</th><th scope="col">Interval</th><th scope="col">Besides</th><th scope="col" class="number">Licenses</th><th scope="col">The last</th></tr></thead>
    <tbody>${entries.map((entry) => row(entry, shown))}</tbody></table></div>`;
}

function row({ key, fields }: Entry, shown: Shown): Html {
  const { productId, licenseTemplateId, subscriptionInterval, ...others } = fields;
  const issued = typeof productId === 'string' ? shown.issued.get(productId) : undefined;
  const besides = Object.entries(others).map(
    ([name, value]) => `${name}: ${cut(written(value), 80)}`,
  );
  return html`<tr>
    <th scope="row" class="mono">${cut(key, 120)}</th>
    <td>${idPart(productId, shown.findings)}</td>
    <td>${licenseTemplateId === undefined ? html`<span class="soft">the product's own</span>` : idPart(licenseTemplateId, shown.findings)}</td>
    <td>${intervalOf(subscriptionInterval)}</td>
    <td class="soft">${besides.join(', ')}</td>
    <td class="number">${count(issued?.licenses ?? 0)}</td>
    <td>${lastPart(issued, shown.nowMs)}</td></tr>`;
}

function intervalOf(interval: JsonValue | undefined): Html | string {
  if (interval === undefined) return html`<span class="soft">the template's</span>`;
  return interval === '' ? 'perpetual' : String(interval);
}

function idPart(id: JsonValue | undefined, findings: CatalogFindings | undefined): Html {
  if (typeof id !== 'string') return html`<span class="soft">–</span>`;
  return html`<span class="mono id">${cut(id, 80)}</span>${verdictPart(findings?.verdicts.get(id))}`;
}

function verdictPart(verdict: ReturnType<CatalogFindings['verdicts']['get']>): Html | '' {
  switch (verdict?.kind) {
    case undefined:
      return '';
    case 'known':
      return html`<br>${badge('good', 'known', 'Cryptlex knows it')}`;
    case 'unknown':
      return html`<br>${badge('bad', 'not known', 'Cryptlex does not know it')}`;
    case 'lacks-metadata':
      return html`<br>${badge('warn', `wants ${cut(verdict.keys.join(', '), 80)}`, 'No rule writes this metadata, which the template requires')}`;
    default:
      return verdict satisfies never;
  }
}

/** A license leads to all its events, its time to the event that made it. */
function lastPart(issued: IssuedLicenses | undefined, nowMs: number): Html {
  if (issued === undefined) return html`<span class="soft">none yet</span>`;
  return html`<ul class="cat-last">${issued.last.map(
    ({ licenseId, eventKey, atMs }) =>
      html`<li><a class="mono" href="${aboutPath(licenseId)}" title="${licenseId}">${cut(licenseId, 14)}</a> <a class="soft" href="${eventPath(eventKey)}">${ago(atMs, nowMs)}</a></li>`,
  )}</ul>`;
}

/** What the shipped rules license while their catalog is empty. */
function fallbackPart(
  productId: string | undefined,
  listings: readonly Listing[],
  shown: Shown,
): Html | '' {
  const sources = listings
    .map(({ ruleSet }) => ruleSet)
    .filter(({ env }) => env.some(({ name }) => name === 'CRYPTLEX_PRODUCT_ID'))
    .map(({ source }) => source);
  if (productId === undefined || sources.length === 0) return '';
  const issued = shown.issued.get(productId);
  return html`<section class="card stack" aria-labelledby="cat-fallback"><h2 id="cat-fallback">CRYPTLEX_PRODUCT_ID</h2>
    <p class="soft">Rules of ${sources.join(', ')} read this variable. The shipped ones license it while their catalog is empty.</p>
    <dl class="facts"><div><dt>Product</dt><dd>${idPart(productId, shown.findings)}</dd></div>
      <div><dt>Licenses</dt><dd>${count(issued?.licenses ?? 0)}</dd></div><div><dt>The last</dt><dd>${lastPart(issued, shown.nowMs)}</dd></div></dl></section>`;
}
