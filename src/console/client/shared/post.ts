// Sends a change to the server. Takes a path and what to send, gives the answer. Where the session has ended
// in the meantime, it asks for the token in a dialog on top of the page, so that nothing typed is lost, and
// sends the change once more.

/** @param body is sent as JSON */
export async function post(path: string, body: unknown): Promise<Response> {
  const send = () =>
    fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-csrf-token': csrfToken() },
      body: JSON.stringify(body),
    });
  const answer = await send();
  if (answer.status !== 401) return answer;
  return (await signInAgain()) ? send() : answer;
}

export function csrfToken(): string {
  return metaOfToken()?.content ?? '';
}

function metaOfToken(): HTMLMetaElement | null {
  return document.querySelector('meta[name="csrf-token"]');
}

/** Resolves to false when the dialog is closed without signing in. */
export function signInAgain(): Promise<boolean> {
  const dialog = document.createElement('dialog');
  dialog.className = 'card';
  const form = document.createElement('form');
  const title = document.createElement('h2');
  title.textContent = 'Your session has ended';
  const hint = document.createElement('p');
  hint.textContent = 'Sign in again; what you typed stays as it is.';
  hint.setAttribute('role', 'status');
  const label = document.createElement('label');
  label.textContent = 'Admin token';
  const field = document.createElement('input');
  Object.assign(field, { type: 'password', name: 'token', required: true, id: 'token-again' });
  field.autocomplete = 'current-password';
  label.htmlFor = field.id;
  const button = document.createElement('button');
  button.textContent = 'Sign in';
  const leave = document.createElement('button');
  Object.assign(leave, { type: 'button', textContent: 'Cancel', className: 'quiet' });
  form.append(title, hint, label, field, button, leave);
  dialog.append(form);
  dialog.setAttribute('aria-label', 'Sign in again');
  document.body.append(dialog);
  return new Promise((resolve) => {
    let isDone = false;
    leave.addEventListener('click', () => dialog.close());
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(isDone);
    });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void trySignIn(field.value).then((token) => {
        if (token === undefined) {
          hint.textContent = 'This is not the admin token.';
          hint.className = 'message bad';
          field.select();
          return;
        }
        replaceToken(token);
        isDone = true;
        dialog.close();
      });
    });
    dialog.showModal();
  });
}

/** Gives the new session's CSRF token. */
async function trySignIn(token: string): Promise<string | undefined> {
  const answer = await fetch('/console/sign-in', {
    method: 'POST',
    headers: { accept: 'application/json' },
    body: new URLSearchParams({ token }),
  });
  if (!answer.ok) return undefined;
  return ((await answer.json()) as { csrfToken: string }).csrfToken;
}

/** Into the head and into every form of the page. */
function replaceToken(token: string): void {
  const meta = metaOfToken();
  if (meta !== null) meta.content = token;
  for (const field of document.querySelectorAll<HTMLInputElement>('input[name="csrf"]')) {
    field.value = token;
  }
}
