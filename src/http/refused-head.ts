import type { Request, RequestHandler } from 'express';
import { ApiError } from '../errors/api-error';

/** Most header lines, and most parameters in a query; browsers send some 20. */
const MAX_LINES = 100;
const MAX_PARAMETERS = 100;

/** A host and a port (RFC 9110 §7.2). Nobody has a comma in a name, but a list of two has. */
const HOST = /^[\w.~!$&'()*+;=%:[\]-]*$/;

/** Nothing more is read on the connection of one whose head may mean something else to a proxy. */
const CLOSE = { headers: { Connection: 'close' } };

/**
 * Refuses heads that Node takes, but that another server, before this one, may take otherwise: what
 * is the body to one is the next request to the other. And heads with more in them than any client
 * needs.
 *
 * @throws ApiError 400, 431
 */
export const refuseHead: RequestHandler = (request, _response, next) => {
  if (isAmbiguous(request)) throw new ApiError(400, 'badRequest', CLOSE);
  if (request.rawHeaders.length / 2 > MAX_LINES) {
    throw new ApiError(431, 'headersTooLarge', CLOSE);
  }
  if (request.url.split('&', MAX_PARAMETERS + 1).length > MAX_PARAMETERS) {
    throw new ApiError(400, 'badRequest');
  }
  next();
};

function isAmbiguous(request: Request): boolean {
  const { httpVersion } = request;
  const hosts = valuesOf(request, 'host');
  const codings = valuesOf(request, 'transfer-encoding');
  return (
    !['1.0', '1.1'].includes(httpVersion) ||
    // RFC 9112 §3.2; Node would refuse it without a body, so its own check is off.
    hosts.length > 1 ||
    (hosts.length === 0 && httpVersion === '1.1') ||
    !hosts.every((host) => HOST.test(host)) ||
    // RFC 9112 §6.1: chunks are all that we understand, and HTTP/1.0 does not.
    !codings.every((coding) => httpVersion === '1.1' && /^chunked$/i.test(coding))
  );
}

/** Every value that a header was given: Node drops or joins the second and later ones. */
function valuesOf({ rawHeaders }: Request, name: string): string[] {
  return rawHeaders.filter((_value, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name);
}
