import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { createApp } from '../app.setup';
import { parseSettings } from '../config/settings';
import { describeApi } from './document';

/** Writes the description of the API to standard output. No database is asked for that. */
async function main(): Promise<void> {
  const settings = parseSettings({
    INSTANCE_HOST: '/nowhere',
    DB_USER: 'nobody',
    DB_NAME: 'nothing',
    SECRET_KEY: randomBytes(32).toString('hex'),
  });
  const app = await createApp(settings, pino({ level: 'silent' }));
  process.stdout.write(`${JSON.stringify(describeApi(app, settings.ROOT_PATH), null, 2)}\n`);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
