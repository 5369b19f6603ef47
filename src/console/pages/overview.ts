// The first page: how things stand. Takes the journal's counts, gives the page.

import { html } from 'hono/html';
import { answerPage } from '../layout.ts';
import type { ConsoleApp, ConsoleParts } from '../parts.ts';

export function addOverview(app: ConsoleApp, { archive }: ConsoleParts): void {
  app.get('/', async (c) => {
    const backlog = await archive.backlog();
    return answerPage(c, {
      title: 'Overview',
      area: 'Overview',
      body: html`<h1>Overview</h1>
        <dl class="facts">${[...backlog].map(
          ([status, { events }]) => html`<div><dt>${status}</dt><dd>${events}</dd></div>`,
        )}</dl>`,
    });
  });
}
