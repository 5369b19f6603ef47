// Loaded by every page: what the keyboard does everywhere, and that no form is lost to a session that has ended.
// Takes what stands in the page, changes nothing that works without it.

import { signInAgain } from './shared/post.ts';

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

/** A form is only sent with a session that still holds; what was typed is never lost to its end. */
async function sendForm(form: HTMLFormElement, button: HTMLElement | null): Promise<void> {
  const answer = await fetch('/console/session').catch(() => undefined);
  if (answer?.status === 401 && !(await signInAgain())) return;
  checked.add(form);
  form.requestSubmit(button);
}

const checked = new WeakSet<HTMLFormElement>();

document.addEventListener('submit', (event) => {
  const form = event.target as HTMLFormElement;
  // Where a script sends what is typed, it takes care of that itself.
  if (event.defaultPrevented || form.method !== 'post' || checked.delete(form)) return;
  event.preventDefault();
  void sendForm(form, event.submitter);
});
