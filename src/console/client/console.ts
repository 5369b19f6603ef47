// Loaded by every page: what the keyboard does everywhere. Takes what stands in the page, changes nothing
// that works without it.

/** `/` goes to the search field, as in most tools of this kind. */
function focusSearch(event: KeyboardEvent): void {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target as HTMLElement;
  if (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
  const field = document.querySelector<HTMLInputElement>('[data-search]');
  if (field === null) return;
  event.preventDefault();
  field.focus();
  field.select();
}

document.addEventListener('keydown', focusSearch);
