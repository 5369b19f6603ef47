// The part of the configuration that is about proxies. Takes the environment, gives which proxy calls go
// through, and reports an address that is none. The addresses may hold passwords and are never shown.

import { type Proxies, type ProxyServer, parseBypass, parseProxy } from '../http/proxies.ts';
import type { Environment, EnvironmentVariables } from './environment.ts';

/** Both spellings are in use; as with curl and Node, the small one counts where both are set. */
export function readProxies(environment: Environment, env: EnvironmentVariables): Proxies {
  // Blank means none, as everywhere else that these three are read.
  const nameOf = (name: string): string | undefined =>
    [name.toLowerCase(), name].find(
      (spelling) => environment.isSet(spelling) && env[spelling]?.trim() !== '',
    );
  const read = (name: string): ProxyServer | undefined => {
    const spelling = nameOf(name);
    const text = spelling === undefined ? undefined : environment.resolveEnv(spelling);
    if (text === undefined) return undefined;
    const proxy = parseProxy(text);
    if (proxy !== undefined) return proxy;
    const takes = 'the address of a proxy, such as http://proxy.example.com:3128';
    environment.report({ code: 'ENV_INVALID', message: `${spelling} takes ${takes}` });
    return undefined;
  };
  const bypass = nameOf('NO_PROXY');
  return {
    http: read('HTTP_PROXY'),
    https: read('HTTPS_PROXY'),
    bypass: parseBypass(bypass === undefined ? '' : (environment.resolveEnv(bypass) ?? '')),
  };
}
