// One source as the server sees it: one rule file with its secret and the address that it claims.

import type { JsonObject, RawRequest, VerifiedDelivery } from '../core/model.ts';
import type { Provider } from '../core/providers.ts';

/** A source as the server sees it; it is on when it has a verifier. */
export interface ServerSource {
  readonly name: string;
  readonly provider: Provider;
  /** A further address that the rule file claims, such as `/hooks/shop`. */
  readonly path?: string | undefined;
  /** The fixed body of a 200. */
  readonly answer?: JsonObject | undefined;
  /** What `error` says in a 400 to what is not let in, in place of our own code. */
  readonly refusalCode?: string | undefined;
  /** 200 is answered for what is stored, also where it failed. */
  readonly acknowledgesStored?: boolean | undefined;
  readonly verifier:
    | { verify(request: RawRequest, source: string): Promise<VerifiedDelivery> }
    | undefined;
}
