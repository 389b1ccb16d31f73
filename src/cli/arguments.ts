import { InvalidArgumentError } from 'commander';

/** A whole number among the arguments. */
export function wholeNumber(
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d{1,15}$/.test(text) || number < least || number > most) {
      throw new InvalidArgumentError(
        `It has to be a whole number from ${String(least)}${most < Number.MAX_SAFE_INTEGER ? ` to ${String(most)}` : ''}.`,
      );
    }
    return number;
  };
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A day, in UTC, or a time that says in which zone it is. */
const ISO_8601 = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

/** A time among the arguments: by ISO 8601, or so long ago. */
export function time(text: string): Date {
  const [, count, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (count !== undefined) return new Date(Date.now() - Number(count) * (UNIT_MS[unit] ?? 0));
  const date = new Date(text);
  const [, day = ''] = ISO_8601.exec(text) ?? [];
  // Of days that no month has, some are taken for others.
  if (Number.isNaN(date.getTime()) || !isDay(day)) {
    throw new InvalidArgumentError(
      'It has to be a time like 2026-11-30 or 2026-11-30T08:00:00Z, or how long ago: 30m, 12h or 7d.',
    );
  }
  return date;
}

function isDay(text: string): boolean {
  const date = new Date(text);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
