/** How often something may be done. */
export interface Rate {
  readonly count: number;
  /** The window of time that it is counted in. */
  readonly seconds: number;
}

const UNITS: Readonly<Record<string, number>> = { second: 1, minute: 60, hour: 3600, day: 86_400 };

/** A rate as settings have it, such as `100/hour`; undefined for what is none. */
export function parseRate(text: string): Rate | undefined {
  const [, count, unit = ''] = /^([1-9]\d{0,8})\/([a-z]+)$/.exec(text) ?? [];
  const seconds = UNITS[unit];
  return seconds === undefined ? undefined : { count: Number(count), seconds };
}
