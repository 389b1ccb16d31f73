import { userInfo } from 'node:os';
import pino, { type Logger } from 'pino';
import { readEnvironment } from '../config/environment';

/** The log of a command: on standard error, where nothing else is for programs. */
export function commandLog(): Logger {
  return pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** Who has typed the command: through sudo, the one who has typed that. */
export function operatorName(): string {
  try {
    return readEnvironment()['SUDO_USER'] ?? userInfo().username;
  } catch {
    // In a container, one may be nobody that the machine knows.
    return `uid ${String(process.getuid?.())}`;
  }
}
