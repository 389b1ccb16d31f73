import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import express, { type RequestHandler } from 'express';

/** Where `npm run build` puts the page; absent in the image, where nginx serves it. */
const DIRECTORY = join(__dirname, '../../../frontend/dist');

/**
 * Serves the page to GET and HEAD that nothing else answers: its files, and its start for every
 * other path that a browser asks for as a page. Files whose name has a hash in it never change.
 *
 * @param rootPath prefix of the API, which the page is told
 */
export function servePage(rootPath: string, directory = DIRECTORY): RequestHandler {
  const start = join(directory, 'index.html');
  if (!existsSync(start)) {
    return (_request, _response, next) => {
      next();
    };
  }
  const html = readFileSync(start, 'utf8').replace(
    /(<meta name="api" content=")[^"]*/,
    (_all, before: string) => before + rootPath,
  );
  const router = express.Router();
  router.use((request, response, next) => {
    const isPage = ['GET', 'HEAD'].includes(request.method) && response.locals['rooted'] !== true;
    next(isPage ? undefined : 'router');
  });
  router.use(
    express.static(directory, {
      index: false,
      redirect: false,
      fallthrough: true,
      setHeaders: (response, path) => {
        const isHashed = path.startsWith(join(directory, 'assets/'));
        response.setHeader(
          'Cache-Control',
          isHashed ? 'public, max-age=31536000, immutable' : 'no-store',
        );
      },
    }),
  );
  router.use((request, response, next) => {
    // Programs accept anything, and find their mistake sooner in JSON.
    const wanted = request.path === '/' ? ['text/html'] : ['application/json', 'text/html'];
    if (request.accepts(wanted) !== 'text/html') {
      next('router');
      return;
    }
    response.set('Cache-Control', 'no-store').type('html').send(html);
  });
  return router;
}
