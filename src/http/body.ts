import { TextDecoder } from 'node:util';
import { Busboy } from '@fastify/busboy';
import express, { type Request, type RequestHandler } from 'express';
import { ApiError, ValidationFailed } from '../errors/api-error';

/** Most bytes of a body, after decompression. */
export const MAX_BODY_BYTES = 65_536;
/** Most of a body that is too large that is still taken, and dropped. */
const MAX_DROPPED_BYTES = 16 * 2 ** 20;
/** Most fields of a form. */
const MAX_FIELDS = 100;
/** Deepest JSON: what follows walks it recursively. */
const MAX_DEPTH = 32;

const JSON_TYPE = /^application\/(json|[^;/]+\+json)$/;
/** Stands for an uploaded file where a text is wanted. */
const FILE = Object.freeze({});
const FORM_TYPE = /^(application\/x-www-form-urlencoded|multipart\/form-data)$/;

const raw = express.raw({ type: () => true, limit: MAX_BODY_BYTES });

/**
 * Reads a body of any type into a buffer, decompressed, within the limit. One that is too large is
 * refused as soon as that is known: express.raw would wait for its end.
 */
const read: RequestHandler = (request, response, next) => {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > MAX_BODY_BYTES) {
    // Node drops what follows, so that a client that sends all before it listens hears this too;
    // nobody waits for what would take too long.
    const headers = announced > MAX_DROPPED_BYTES ? { Connection: 'close' } : {};
    throw new ApiError(413, 'bodyTooLarge', { headers });
  }
  let bytes = 0;
  let refused = false;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES && !refused && response.shouldKeepAlive) {
      // What follows is dropped, until it is too late for it to arrive. Not on a connection that ends with the answer: what still comes would break it off.
      refused = true;
      next(new ApiError(413, 'bodyTooLarge'));
    }
  });
  raw(request, response, (error?: unknown) => {
    if (!refused) next(error);
  });
};

/**
 * For routes that take JSON. A body without a type is JSON too, as the reference has it; one of
 * another type stays what it is, bytes, and is then no object.
 */
export const jsonBody: readonly RequestHandler[] = [
  read,
  (request, _response, next) => {
    const bytes = bodyOf(request);
    const type = mediaType(request);
    if (bytes === undefined) request.body = undefined;
    else if (type === '' || JSON_TYPE.test(type)) request.body = parseJson(decode(bytes, request));
    next();
  },
];

/** For routes that take JSON, or nothing, which is an object without members. */
export const optionalJsonBody: readonly RequestHandler[] = [
  ...jsonBody,
  (request, _response, next) => {
    request.body ??= {};
    next();
  },
];

/**
 * For routes that take a form, urlencoded or multipart: an object of its fields. As in the
 * reference, a field without a value is none, and a body of another type has no fields. A field
 * that is given twice is an array, and a file is no text: both fail validation.
 */
export const formBody: readonly RequestHandler[] = [
  read,
  (request, _response, next) => {
    const bytes = bodyOf(request);
    if (bytes === undefined || !FORM_TYPE.test(mediaType(request))) {
      request.body = {};
      next();
      return;
    }
    parseForm(bytes, request).then((fields) => {
      request.body = fields;
      next();
    }, next);
  },
];

function bodyOf(request: Request): Buffer | undefined {
  const body: unknown = request.body;
  return Buffer.isBuffer(body) && body.length > 0 ? body : undefined;
}

function mediaType(request: Request): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** @throws ApiError 415 for a charset nobody knows, 400 for bytes that are not in it */
function decode(bytes: Buffer, request: Request): string {
  const [, charset = 'utf-8'] =
    /;\s*charset="?([^\s";]+)/i.exec(request.headers['content-type'] ?? '') ?? [];
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(charset, { fatal: true });
  } catch {
    throw new ApiError(415, 'unsupportedEncoding');
  }
  try {
    return decoder.decode(bytes);
  } catch {
    throw new ApiError(400, 'bodyUnreadable');
  }
}

function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // V8 tells the place of some errors only.
    const [, position] = /at position (\d+)/.exec((error as SyntaxError).message) ?? [];
    const loc = position === undefined ? ['body'] : ['body', Number(position)];
    throw new ValidationFailed([{ loc, messageName: 'json' }]);
  }
  if (depthExceeds(value, MAX_DEPTH)) throw new ApiError(400, 'bodyUnreadable');
  return value;
}

/** Level by level: a recursive walk is what deep input would break. */
function depthExceeds(value: unknown, limit: number): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limit) return true;
    level = level.flatMap((item): unknown[] =>
      typeof item === 'object' && item !== null ? Object.values(item) : [],
    );
  }
  return false;
}

async function parseForm(bytes: Buffer, request: Request): Promise<Record<string, unknown>> {
  const entries =
    mediaType(request) === 'multipart/form-data'
      ? await parseMultipart(bytes, request.headers['content-type'] ?? '')
      : [...new URLSearchParams(decode(bytes, request))];
  if (entries.length > MAX_FIELDS) throw new ApiError(400, 'bodyUnreadable');
  const fields = new Map<string, unknown[]>();
  for (const [name, value] of entries) {
    const values = fields.get(name);
    if (values === undefined) fields.set(name, [value]);
    else values.push(value);
  }
  return Object.fromEntries(
    [...fields]
      .map(([name, values]): [string, unknown] => [name, values.length === 1 ? values[0] : values])
      .filter(([, value]) => value !== ''),
  );
}

/** @throws ApiError 400 when the body is not what its boundary says */
function parseMultipart(bytes: Buffer, contentType: string): Promise<[string, unknown][]> {
  return new Promise<[string, unknown][]>((resolve, reject) => {
    const entries: [string, unknown][] = [];
    const parser = new Busboy({ headers: { 'content-type': contentType } });
    parser.on('field', (name, value) => entries.push([name, value]));
    parser.on('file', (name, file) => {
      // A file that is cut off says so itself, and not through the parser.
      file.on('error', reject).resume();
      entries.push([name, FILE]);
    });
    parser.on('finish', () => {
      resolve(entries);
    });
    parser.on('error', reject);
    parser.end(bytes);
  }).catch((error: unknown) => {
    throw new ApiError(400, 'bodyUnreadable', { cause: error });
  });
}
