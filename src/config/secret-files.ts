import { readFileSync } from 'node:fs';
import type { Environment } from './environment';

/** Settings that a file can hold, as orchestrators hand out secrets: `NAME_FILE` says which. */
export const SECRETS = [
  'SECRET_KEY',
  'SECRET_KEY_PREVIOUS',
  'DB_PASS',
  'SMTP_URL',
  'METRICS_TOKEN',
] as const;

/** What the files of an environment hold, and what is wrong with them. */
interface SecretFiles {
  /** The settings that stand in a file, by their own names. */
  readonly secrets: Environment;
  /** One sentence per setting, each beginning with its name; never what a file holds. */
  readonly problems: readonly string[];
}

/** Reads the files that the environment names. An empty file is an empty setting. */
export function readSecretFiles(environment: Environment): SecretFiles {
  const secrets: Record<string, string> = {};
  const problems: string[] = [];
  for (const name of SECRETS) {
    const path = environment[`${name}_FILE`] ?? '';
    if (path === '') continue;
    if ((environment[name] ?? '') !== '') {
      problems.push(`${name}_FILE is set and ${name} too: leave one of them empty`);
      continue;
    }
    try {
      // Editors and `echo` end a file with a newline, which is no part of the secret.
      secrets[name] = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    } catch (error) {
      const { code = 'unknown error' } = error as NodeJS.ErrnoException;
      problems.push(
        `${name}_FILE cannot be read (${code}): it must be a file that the user of the service may read`,
      );
    }
  }
  return { secrets, problems };
}
