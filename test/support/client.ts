import { createHash } from 'node:crypto';
import type { RunningService } from './service';

export const JSON_TYPE = { 'content-type': 'application/json' };
export const PASSWORD = 'correct horse 9';

type JsonRequest = RequestInit & { readonly body: string };

/** A registration as a client sends it. */
export function registration(username: string, more: object = {}): JsonRequest {
  const email = `${createHash('sha256').update(username).digest('hex').slice(0, 40)}@example.com`;
  return post({ username, password1: PASSWORD, password2: PASSWORD, email, ...more });
}

/** A JSON body, or a text that pretends to be one. */
export function post(body: unknown): JsonRequest {
  return {
    method: 'POST',
    headers: JSON_TYPE,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

/** A form, urlencoded. */
export function form(fields: Record<string, string>): RequestInit {
  return { method: 'POST', body: new URLSearchParams(fields) };
}

export function bearer(token: string): RequestInit {
  return { headers: { authorization: `Bearer ${token}` } };
}

/** Signs up and logs in. @returns the token */
export async function signUp(service: RunningService, username: string): Promise<string> {
  const created = await service.fetch('/user/create', registration(username));
  if (created.status !== 204) throw new Error(`${String(created.status)} ${await created.text()}`);
  return logIn(service, username, PASSWORD);
}

/** Answer to a login. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly expires_in: number;
}

/** Logs in. @returns the token */
export async function logIn(
  service: RunningService,
  username: string,
  password: string,
): Promise<string> {
  const { access_token: token } = await logInWith(service, { username, password });
  return token;
}

/** Logs in with these fields. @returns everything that is answered */
export async function logInWith(
  service: RunningService,
  fields: Record<string, string>,
): Promise<Tokens> {
  const response = await service.fetch('/user/login', form({ password: PASSWORD, ...fields }));
  if (response.status !== 200)
    throw new Error(`${String(response.status)} ${await response.text()}`);
  return (await response.json()) as Tokens;
}

/** The status of a request with a token. */
export async function statusWith(
  service: RunningService,
  token: string,
  path = '/user/me',
  init: RequestInit = {},
): Promise<number> {
  const response = await service.fetch(path, { ...init, ...bearer(token) });
  await response.text();
  return response.status;
}
