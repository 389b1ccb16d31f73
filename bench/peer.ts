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

async function me(username: string): Promise<string> {
  const { rows } = await pool.query('SELECT id, username, email FROM "user" WHERE username = $1', [
    username,
  ]);
  return JSON.stringify(rows[0]);
}

function usernameOf({ headers }: IncomingMessage): string {
  const token = (headers.authorization ?? '').slice('Bearer '.length);
  return (jsonwebtoken.verify(token, key, { algorithms: ['HS256'] }) as { sub: string }).sub;
}

const app = express();
app.get('/user/me', async (request, response) => {
  const began = performance.now();
  const body = await me(usernameOf(request));
  response.type('application/json').send(body);
  logger.info({ method: 'GET', route: '/user/me', status: 200, ms: performance.now() - began });
});

const server =
  PEER === 'express'
    ? createServer(app)
    : createServer((_request, response) => {
        void me('hana').then((body) => {
          response.writeHead(200, { 'content-type': 'application/json' }).end(body);
        });
      });
server.listen(0, () => {
  process.send?.((server.address() as AddressInfo).port);
});
