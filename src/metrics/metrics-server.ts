import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Settings } from '../config/settings';
import { errorBody } from '../errors/error-body';
import type { MessageName } from '../errors/messages';
import { listenError } from '../http/listen-error';
import { safeError } from '../logging/safe-error';
import { Exposition } from './exposition';

/** Told to stop, it gives answers that are under way so long. */
const LAST_ANSWER_MS = 500;

/** What else is answered, in the form of every other error. */
const REFUSALS = {
  401: { messageName: 'notAuthenticated', headers: { 'WWW-Authenticate': 'Bearer' } },
  404: { messageName: 'notFound', headers: {} },
  405: { messageName: 'methodNotAllowed', headers: { Allow: 'GET' } },
  500: { messageName: 'internal', headers: {} },
} as const satisfies Record<number, { messageName: MessageName; headers: Record<string, string> }>;

/**
 * The metrics on a port of their own (`METRICS_PORT`), from before the service answers anybody until it
 * has answered everybody. Nothing else is there, and nothing of it is logged or counted.
 */
@Injectable()
export class MetricsServer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(MetricsServer.name);
  private server: Server | undefined;

  constructor(
    private readonly exposition: Exposition,
    private readonly settings: Settings,
  ) {}

  /** @throws StartError when somebody else listens there */
  async onApplicationBootstrap(): Promise<void> {
    const { METRICS_HOST, METRICS_PORT } = this.settings;
    if (METRICS_PORT === 0) return;
    const server = createServer((request, response) => {
      this.answer(request, response).catch((error: unknown) => {
        this.logger.error(safeError(error));
        refuse(response, 500);
      });
    });
    server.listen(METRICS_PORT, METRICS_HOST);
    await once(server, 'listening').catch((error: unknown) => {
      throw listenError('METRICS_PORT', METRICS_PORT, error) ?? error;
    });
    this.server = server;
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (this.server === undefined) return;
    const { server } = this;
    // Idle connections are closed with it; one that has not said anything yet is none of these.
    server.close();
    const over = setTimeout(() => {
      server.closeAllConnections();
    }, LAST_ANSWER_MS);
    await once(server, 'close');
    clearTimeout(over);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path] = (request.url ?? '').split('?');
    if (path !== '/metrics') refuse(response, 404);
    else if (request.method !== 'GET') refuse(response, 405);
    else if (!this.exposition.isAllowed(request.headers.authorization)) refuse(response, 401);
    else {
      const text = await this.exposition.write();
      response.writeHead(200, { 'Content-Type': this.exposition.contentType }).end(text);
    }
  }
}

function refuse(response: ServerResponse, status: keyof typeof REFUSALS): void {
  const { messageName, headers } = REFUSALS[status];
  response
    .writeHead(status, { 'Content-Type': 'application/json', ...headers })
    .end(JSON.stringify(errorBody({ messageName, members: {} }, 'reference')));
}
