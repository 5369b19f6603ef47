// How many statements PostgreSQL has not answered yet, for a clock that must not run ahead of them.
// Counts at the driver, in this process only. A replica that stands still begins nothing there either.

import pg from 'pg';
import { ReplicaClock } from './replica-clock.ts';

let underWay = 0;

interface Countable {
  connect(...rest: unknown[]): unknown;
  query(...rest: unknown[]): unknown;
  end(...rest: unknown[]): unknown;
}

function count(prototype: Countable, name: keyof Countable): void {
  const original = prototype[name];
  prototype[name] = function counted(this: unknown, ...rest: unknown[]): unknown {
    const answer = original.apply(this, rest);
    if (!(answer instanceof Promise)) return answer;
    underWay += 1;
    const settle = (): void => {
      underWay -= 1;
    };
    answer.then(settle, settle);
    return answer;
  };
}

const client = pg.Client.prototype as unknown as Countable;
count(client, 'connect');
count(client, 'query');
count(client, 'end');
const pool = pg.Pool.prototype as unknown as Countable;
count(pool, 'connect');
const connect = pool.connect;
// Before a transaction only: in the middle of one it would hold what others wait for, which here is for ever.
pool.connect = async function waited(this: unknown, ...rest: unknown[]): Promise<unknown> {
  await ReplicaClock.ofThisReplica?.whileItStands();
  return connect.apply(this, rest);
};

/** Statements and connections that are under way. */
export const postgresTraffic = (): number => underWay;
