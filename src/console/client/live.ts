// Keeps a page up to date. Takes notes from /console/live, asks for the page anew and puts its parts marked with
// `data-live` in place of the old ones. What has the focus keeps it; new rows light up for a moment. Says by
// `data-live-state` whether it follows, and goes on by itself after the server was away.

const AGAIN_MS = 5_000;
/** The page and the notes may come from two servers whose clocks are not quite the same. */
const SLACK_MS = 1_000;
const state = document.querySelector<HTMLElement>('[data-live-state]');

function tell(text: string, kind: 'on' | 'off' | 'ended'): void {
  if (state === null) return;
  state.textContent = text;
  state.dataset['kind'] = kind;
}

let isAsking = false;
let isAskedAgain = false;

async function refresh(): Promise<void> {
  if (document.hidden) {
    isAskedAgain = true;
    return;
  }
  if (isAsking) {
    isAskedAgain = true;
    return;
  }
  isAsking = true;
  isAskedAgain = false;
  try {
    const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
    if (answer.status === 401) {
      tell('Your session has ended. Reload to sign in.', 'ended');
      source?.close();
      return;
    }
    if (answer.ok) replaceParts(await answer.text());
  } catch {
    // The stream tells when the server is away.
  } finally {
    isAsking = false;
    if (isAskedAgain && !document.hidden) void refresh();
  }
}

function replaceParts(text: string): void {
  const page = new DOMParser().parseFromString(text, 'text/html');
  for (const old of document.querySelectorAll<HTMLElement>('[data-live]')) {
    const fresh = page.getElementById(old.id);
    if (fresh === null) continue;
    const focused = old.contains(document.activeElement)
      ? document.activeElement?.getAttribute('href')
      : undefined;
    const known = new Set(keysOf(old));
    keepOpen(old, fresh);
    for (const row of fresh.querySelectorAll<HTMLElement>('[data-key]')) {
      if (known.size > 0 && !known.has(row.dataset['key'] ?? '')) row.classList.add('fresh');
    }
    if (fresh.dataset['again'] !== undefined) askAgainIn(Number(fresh.dataset['again']));
    old.replaceChildren(...document.adoptNode(fresh).childNodes);
    if (typeof focused === 'string') {
      const links = [...old.querySelectorAll<HTMLElement>('a[href]')];
      links.find((link) => link.getAttribute('href') === focused)?.focus({ preventScroll: true });
    }
  }
}

let again: ReturnType<typeof setTimeout> | undefined;

/** The server counts now and then only; what it gave was counted before the last change. */
function askAgainIn(ms: number): void {
  clearTimeout(again);
  again = setTimeout(() => void refresh(), ms);
}

function keysOf(part: HTMLElement): string[] {
  return [...part.querySelectorAll<HTMLElement>('[data-key]')].map(
    (row) => row.dataset['key'] ?? '',
  );
}

/** What was unfolded stays so. */
function keepOpen(old: HTMLElement, fresh: HTMLElement): void {
  const now = fresh.querySelectorAll('details');
  old.querySelectorAll('details').forEach((one, index) => {
    const same = now[index];
    if (same !== undefined) same.open = one.open;
  });
}

let source: EventSource | undefined;
let wasAway = false;

function follow(): void {
  source = new EventSource('/console/live');
  source.addEventListener('open', () => {
    tell('Live', 'on');
  });
  source.addEventListener('begin', (event) => {
    // What happened while nobody told: since the page was made, or while the server was away.
    const isMissed = Number(event.data) + SLACK_MS >= Number(state?.dataset['liveState']);
    if (wasAway || isMissed) void refresh();
    wasAway = false;
  });
  source.addEventListener('change', () => void refresh());
  source.addEventListener('error', () => {
    wasAway = true;
    tell('The server does not answer. Trying again…', 'off');
    // A refusal ends it for good; otherwise the browser comes back by itself.
    if (source?.readyState === EventSource.CLOSED) setTimeout(() => void tryAgain(), AGAIN_MS);
  });
}

/** A refusal may be a session that has ended, which no waiting brings back. */
async function tryAgain(): Promise<void> {
  const answer = await fetch('/console/session').catch(() => undefined);
  if (answer?.status === 401) {
    tell('Your session has ended. Reload to sign in.', 'ended');
    return;
  }
  follow();
}

document.addEventListener('visibilitychange', () => {
  if (!document.hidden && isAskedAgain) void refresh();
});

if (state !== null) {
  follow();
  // A page that is left must not hold a connection until it is forgotten.
  addEventListener('pagehide', () => source?.close());
  addEventListener('pageshow', (event) => {
    if (event.persisted) follow();
  });
}
