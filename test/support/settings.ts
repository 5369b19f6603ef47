// A shipped rule file with another value for one of its settings, for tests that change the text itself.

/** @throws where the file declares no such setting */
export function withSetting(text: string, name: string, value: string): string {
  const declaration = new RegExp(`^( {2}${name}:\\n(?: {4}.*\\n)*? {4}default: ).*$`, 'm');
  if (!declaration.test(text)) throw new Error(`there is no setting ${name}`);
  return text.replace(declaration, (_all, before: string) => `${before}${value}`);
}
