// What formulas may read as `$event.…`. Data only.

export const EVENT_MEMBERS = ['provider', 'id', 'type', 'time', 'live'] as const;
