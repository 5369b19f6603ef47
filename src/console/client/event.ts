// On the page of one event: copies its id. Takes what is marked with `data-copy`, adds a button beside it.

function addCopyButtons(): void {
  for (const text of document.querySelectorAll<HTMLElement>('[data-copy]')) {
    if (text.nextElementSibling?.classList.contains('copy') === true) continue;
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy quiet';
    button.textContent = 'Copy';
    button.addEventListener('click', () => {
      void navigator.clipboard.writeText(text.textContent ?? '').then(() => {
        button.textContent = 'Copied';
        setTimeout(() => {
          button.textContent = 'Copy';
        }, 1500);
      });
    });
    text.after(button);
  }
}

// It is there over HTTPS and on this machine only.
if (isSecureContext) {
  addCopyButtons();
  const story = document.getElementById('story');
  // The part is made anew when something changed.
  if (story !== null) new MutationObserver(addCopyButtons).observe(story, { childList: true });
}
