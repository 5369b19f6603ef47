// The points between two steps at which a process may die. Tests stop a process at each of them and
// start another one; in a running server nothing happens there.

export const POINTS = [
  /** The delivery is in the journal; nothing was answered yet. */
  'accepted',
  /** An event was taken; nothing was done for it. */
  'taken',
  /** A call is written down as intended; it was not made. */
  'intended',
  /** The call was made and answered; nobody knows of it. */
  'called',
  /** The call is written down as done. */
  'completed',
  /** The plan came to its end, which is not written down. */
  'settling',
  /** The end is written down; nothing was answered yet. */
  'settled',
] as const;

export type Point = (typeof POINTS)[number];
export type Reach = (point: Point) => Promise<void>;

export const reachNothing: Reach = async () => undefined;
