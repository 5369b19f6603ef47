// Which proxy a call goes through. Takes HTTP_PROXY, HTTPS_PROXY and NO_PROXY as they are written, gives the
// proxy for an address, or none. The password of a proxy never leaves here but as a header.

import { BlockList, isIP } from 'node:net';
import { Secret } from '../core/secret.ts';

export interface ProxyServer {
  readonly protocol: 'http:' | 'https:';
  readonly hostname: string;
  readonly port: number;
  /** The value of Proxy-Authorization. */
  readonly authorization: Secret | undefined;
}

export interface Proxies {
  /** For addresses that begin with http://. */
  readonly http: ProxyServer | undefined;
  /** For addresses that begin with https://. */
  readonly https: ProxyServer | undefined;
  readonly bypass: readonly Bypass[];
}

export const NO_PROXIES: Proxies = { http: undefined, https: undefined, bypass: [] };

/** An element of NO_PROXY: whether it covers an address. */
export type Bypass = (address: { readonly host: string; readonly port: number }) => boolean;

/** `http://user:password@proxy.example.com:3128`; without a scheme it is http. Undefined when it is none. */
export function parseProxy(text: string): ProxyServer | undefined {
  const written = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return undefined;
  if (url.pathname !== '/' || /[?#]/.test(written)) return undefined;
  let credentials: string;
  try {
    credentials = [url.username, url.password].map(decodeURIComponent).join(':');
  } catch {
    return undefined;
  }
  const encoded = Buffer.from(credentials).toString('base64');
  return {
    protocol: url.protocol,
    hostname: hostOf(url),
    port: portOf(url),
    authorization: credentials === ':' ? undefined : new Secret(`Basic ${encoded}`),
  };
}

/**
 * The elements of NO_PROXY, between commas or blanks: `*`, a domain (with or without a dot or `*.` before
 * it: the domain and all below it), an address, a network (`10.0.0.0/8`); all but networks may end in a port.
 */
export function parseBypass(text: string): readonly Bypass[] {
  return text
    .split(/[\s,]+/)
    .filter((element) => element !== '')
    .map(bypassOf);
}

/** The proxy for this address; undefined when it is called directly. */
export function proxyFor(url: URL, proxies: Proxies): ProxyServer | undefined {
  const proxy = url.protocol === 'https:' ? proxies.https : proxies.http;
  if (proxy === undefined) return undefined;
  const address = { host: hostOf(url).replace(/\.$/, ''), port: portOf(url) };
  return proxies.bypass.some((covers) => covers(address)) ? undefined : proxy;
}

/** `proxy.example.com:3128`, for people. */
export function formatProxy({ hostname, port }: ProxyServer): string {
  return isIP(hostname) === 6 ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function bypassOf(element: string): Bypass {
  if (element === '*') return () => true;
  const network = networkOf(element);
  if (network !== undefined) return ({ host }) => network.check(host, familyOf(host));
  // An IPv6 address without brackets has colons, but no port.
  const [, bracketed, plain = '', portText] =
    (isIP(element) === 6 ? undefined : /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(element)) ?? [];
  const written = (bracketed ?? (plain === '' ? element : plain)).toLowerCase();
  const domain = written.replace(/^\*?\./, '').replace(/\.$/, '');
  const port = portText === undefined ? undefined : Number(portText);
  const isAddress = isIP(domain) !== 0;
  return (address) => {
    if (port !== undefined && address.port !== port) return false;
    if (address.host === domain) return true;
    return !isAddress && address.host.endsWith(`.${domain}`);
  };
}

function networkOf(element: string): BlockList | undefined {
  const [, address = '', prefix = ''] = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(element) ?? [];
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  if (Number(prefix) > bits) return undefined;
  const network = new BlockList();
  network.addSubnet(address, Number(prefix), familyOf(address));
  return network;
}

function familyOf(host: string): 'ipv4' | 'ipv6' {
  return isIP(host) === 6 ? 'ipv6' : 'ipv4';
}

/** Without the brackets of IPv6. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '').toLowerCase();
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}
