import type { RequestHandler } from 'express';
import { ApiError } from '../errors/api-error';

/** RFC 9112 §3.2.2: a server must understand a target with scheme and authority, and ignores them. */
const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i;

/**
 * Lets every path answer with the prefix as well as without: strips it once, where a segment ends,
 * and says so in `response.locals.rooted`: the page is not to be found there.
 *
 * @param rootPath such as `/api`, or empty
 */
export function stripRootPath(rootPath: string): RequestHandler {
  return (request, response, next) => {
    let url = request.url.replace(ABSOLUTE_FORM, '');
    if (
      rootPath !== '' &&
      url.startsWith(rootPath) &&
      /^([/?]|$)/.test(url.slice(rootPath.length))
    ) {
      url = url.slice(rootPath.length);
      response.locals['rooted'] = true;
    }
    if (!url.startsWith('/')) url = `/${url}`;
    // Nest matches its middleware against the original.
    request.url = request.originalUrl = url;
    next();
  };
}

/** Paths are strict about a slash at their end, those of middleware too, which Express is not. */
export const refuseTrailingSlash: RequestHandler = (request, _response, next) => {
  if (request.path !== '/' && request.path.endsWith('/')) throw new ApiError(404, 'notFound');
  next();
};
