import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Settings } from '../config/settings';

/**
 * The log, on standard output: one JSON line an event in production, readable lines elsewhere.
 *
 * What may be in it: ids of accounts and sessions. What may not: names (people type passwords
 * there), passwords, tokens, hashes, query strings, the parameters of a statement.
 */
export function createLogger(settings: Settings): Logger {
  const options = { base: null, timestamp: pino.stdTimeFunctions.isoTime };
  return settings.NODE_ENV === 'production'
    ? pino(options)
    : pino(options, pretty({ sync: true, translateTime: 'SYS:HH:MM:ss', singleLine: true }));
}
