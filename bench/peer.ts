import { createSecretKey } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import jsonwebtoken from 'jsonwebtoken';
import { Pool } from 'pg';
import pino from 'pino';

/**
 * `GET /user/me` without the service: the same query, with the same pool. As `express`, the same
 * check of the token and a log line too; as `http`, bare Node and no check.
 */
const {
  PEER,
  INSTANCE_HOST: host,
  DB_USER: user,
  DB_PASS: password,
  DB_NAME: database,
  SECRET_KEY = '',
} = process.env;
const pool = new Pool({ host, user, password, database, max: 10 });
const logger = pino();
const key = createSecretKey(SECRET_KEY, 'utf8');

interface Claims {
  readonly sub: string;
  readonly sid: string;
}

async function me({ sub, sid }: Claims): Promise<string> {
  const { rows } = await pool.query<{ id: number; username: string; email: string }>(
    `SELECT u.id, u.username, u.email, s.last_used_at < now() - interval '1 minute' AS unused
       FROM user_session s JOIN "user" u ON u.id = s.user_id
      WHERE s.id = $1 AND u.username = $2 AND s.generation = $3 AND s.expires_at > now()`,
    [sid, sub, 0],
  );
  const [{ id, username, email } = {}] = rows;
  return JSON.stringify({ id, username, email });
}

function tokenOf({ headers }: IncomingMessage): string {
  return (headers.authorization ?? '').slice('Bearer '.length);
}

const app = express();
app.get('/user/me', async (request, response) => {
  const began = performance.now();
  // jsonwebtoken does not know what the service signs.
  const claims = jsonwebtoken.verify(tokenOf(request), key, {
    algorithms: ['HS256'],
  }) as unknown as Claims;
  const body = await me(claims);
  response.type('application/json').send(body);
  logger.info({ method: 'GET', route: '/user/me', status: 200, ms: performance.now() - began });
});

const server =
  PEER === 'express'
    ? createServer(app)
    : createServer((request, response) => {
        const [, claims = ''] = tokenOf(request).split('.');
        void me(JSON.parse(Buffer.from(claims, 'base64url').toString()) as Claims).then((body) => {
          response.writeHead(200, { 'content-type': 'application/json' }).end(body);
        });
      });
server.listen(0, () => {
  process.send?.((server.address() as AddressInfo).port);
});
