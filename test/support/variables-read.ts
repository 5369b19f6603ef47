// Which variables of the environment a part of Keywright reads. Takes that part, gives it an environment that
// notes what is asked for; nothing has to be listed twice to be compared with the documentation.

/** @param read gets an environment with these variables, and is to read it */
export async function variablesRead(
  variables: Readonly<Record<string, string>>,
  read: (env: Readonly<Record<string, string | undefined>>) => unknown,
): Promise<readonly string[]> {
  const asked = new Set<string>();
  const noting = new Proxy(variables, {
    get: (target, name) => {
      asked.add(String(name));
      return Reflect.get(target, name);
    },
    getOwnPropertyDescriptor: (target, name) => {
      // Whether a variable is there is asked before it is read; listing all asks it of those that are there.
      if (!Object.hasOwn(target, name)) asked.add(String(name));
      return Reflect.getOwnPropertyDescriptor(target, name);
    },
  });
  await read(noting);
  // Each variable may come from a file as well.
  return [...asked].filter(
    (name) => !asked.has(name.replace(/_FILE$/, '')) || !/_FILE$/.test(name),
  );
}
