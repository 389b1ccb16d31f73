import { StartError } from '../config/start-error';

/**
 * What to tell whoever starts the service when a port cannot be listened on.
 *
 * @param setting that says which port
 * @returns undefined for an error that is none of listening
 */
export function listenError(
  setting: 'PORT' | 'METRICS_PORT',
  port: number,
  error: unknown,
): StartError | undefined {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall !== 'listen') return undefined;
  const why =
    code === 'EADDRINUSE' ? 'is in use: stop what listens there' : `is refused (${String(code)})`;
  return new StartError(`${setting} ${String(port)} ${why}, or choose another`);
}
