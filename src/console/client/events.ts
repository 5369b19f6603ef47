// The keyboard in the list of events, and older events below the newer ones. Takes the rows that are there; without
// it, links and the Tab key do the same.

const MOVES: Readonly<Record<string, number>> = { j: 1, k: -1 };

function rows(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('[data-row]')];
}

document.addEventListener('keydown', (event) => {
  const step = MOVES[event.key];
  const target = event.target as HTMLElement;
  const isTyping = /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  if (step === undefined || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = rows();
  const at = all.indexOf(target);
  const next = all[at === -1 ? (step > 0 ? 0 : all.length - 1) : at + step];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
});

/** The rows of the next page go below those that are there. */
async function showOlder(link: HTMLAnchorElement): Promise<void> {
  link.setAttribute('aria-busy', 'true');
  const answer = await fetch(link.href).catch(() => undefined);
  if (answer?.ok !== true) {
    location.href = link.href;
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const body = page.querySelector('#rows tbody');
  const table = document.querySelector('#rows table');
  if (body === null || table === null) {
    location.href = link.href;
    return;
  }
  // From now on the page stands still: rows must not move from one part of it to another.
  document.getElementById('rows')?.removeAttribute('data-live');
  const state = document.querySelector<HTMLElement>('[data-live-state]');
  if (state !== null) state.hidden = true;
  const first = body.querySelector<HTMLElement>('[data-row]');
  table.append(document.adoptNode(body));
  first?.focus({ preventScroll: true });
  const next = page.querySelector<HTMLAnchorElement>('[data-older]');
  if (next === null) link.remove();
  else link.href = next.href;
  link.removeAttribute('aria-busy');
}

document.addEventListener('click', (event) => {
  const link = (event.target as Element).closest<HTMLAnchorElement>('[data-older]');
  if (link === null || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0)
    return;
  event.preventDefault();
  if (link.getAttribute('aria-busy') !== 'true') void showOlder(link);
});
