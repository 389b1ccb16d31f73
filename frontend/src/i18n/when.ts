const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/**
 * How long ago something was, in words: "5 minutes ago", "어제".
 *
 * @param time in ISO 8601
 * @param language in which to say it
 */
export function howLongAgo(time: string, language: string, now = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(time)) / 1000);
  const words = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  for (const [unit, length] of UNITS) {
    if (seconds >= length) return words.format(-Math.floor(seconds / length), unit);
  }
  return words.format(0, 'second');
}

/**
 * In how long something is to be, in words, and never too soon: "in 7 seconds", "2분 후".
 *
 * @param language in which to say it
 */
export function inHowLong(seconds: number, language: string): string {
  const words = new Intl.RelativeTimeFormat(language);
  // What is no longer than one and a half of a unit is told in a smaller one.
  for (const [unit, length] of UNITS) {
    if (seconds > 1.5 * length) return words.format(Math.ceil(seconds / length), unit);
  }
  return words.format(Math.ceil(seconds), 'second');
}
