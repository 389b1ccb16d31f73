import type { NestExpressApplication } from '@nestjs/platform-express';
import pino from 'pino';
import Piscina from 'piscina';
import { createApp } from '../src/app.setup';
import { AuthService } from '../src/auth/auth.service';
import { parseSettings } from '../src/config/settings';
import { DatabaseService } from '../src/database/database.service';
import { UserService } from '../src/user/user.service';
import { PASSWORD } from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { TEST_SECRET_KEY } from './support/service';

describe('the work of a login', () => {
  let database: TestDatabase;
  let app: NestExpressApplication;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    app = await createApp(
      parseSettings({ ...database.environment, SECRET_KEY: TEST_SECRET_KEY, BCRYPT_COST: '5' }),
      pino({ level: 'silent' }),
    );
    await app.init();
    await app.get(DatabaseService).connected;
    await app.get(UserService).create({
      username: 'hana',
      password1: PASSWORD,
      password2: PASSWORD,
      email: 'hana@example.com',
    });
    for (const [name, hash] of [
      ['malformed', '$2b$99$x'],
      ['empty', ''],
      ['locked', '!'],
    ]) {
      await database.query('INSERT INTO "user" (username, email, password) VALUES ($1, $1, $2)', [
        name,
        hash,
      ]);
    }
  });

  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  it.each(['hana', 'nobody', 'malformed', 'empty', 'locked'])(
    'is one hash of the usual cost for %s with a wrong password',
    async (username) => {
      const run = jest.spyOn(Piscina.prototype, 'run');
      await expect(app.get(AuthService).verifyPassword(username, 'wrong')).rejects.toThrow(
        'incorrectCredentials',
      );
      expect(run.mock.calls.map(([task]): unknown => task)).toEqual([
        {
          name: 'verify',
          password: 'wrong',
          hash: expect.stringMatching(/^\$2b\$05\$.{53}$/) as string,
        },
      ]);
      run.mockRestore();
    },
  );
});
