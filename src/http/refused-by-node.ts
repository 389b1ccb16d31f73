import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { errorBody } from '../errors/error-body';
import type { MessageName } from '../errors/messages';

/** Codes of Node's HTTP parser and of its time limits; all else is a bad request. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: { status: 431, messageName: 'headersTooLarge' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, messageName: 'bodyTooLarge' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, messageName: 'requestTimeout' },
};

/**
 * Gives what Node refuses on its own the form of every other error: what its parser does not take,
 * and an expectation that nobody can meet. Of the former there is no request, so no language either.
 */
export function answerRefusedRequests(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const answer = answerOnItsWay(socket);
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
    } else if (answer?.req.complete === true) {
      // To a request that came whole before: the last one here, and not written into.
      answer.once('finish', () => socket.end()).once('close', () => socket.destroy());
    } else if (answer?.headersSent === true) {
      socket.destroy();
    } else {
      // Of a request whose body cannot be read, or does not come, nothing more is to be waited for.
      refuse(socket, REFUSALS[error.code ?? ''] ?? { status: 400, messageName: 'badRequest' });
    }
  });
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    refuse(socket, { status: 405, messageName: 'methodNotAllowed' });
  });
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const body = bodyOf('expectationFailed');
    response
      .writeHead(417, {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
        // Nobody has looked at the rest of the head, which may mean something else to a proxy.
        Connection: 'close',
      })
      .end(body);
  });
}

interface Refusal {
  readonly status: number;
  readonly messageName: MessageName;
}

function refuse(socket: Socket, { status, messageName }: Refusal): void {
  const body = bodyOf(messageName);
  socket.end(
    `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\n` +
      'Content-Type: application/json\r\n' +
      `Content-Length: ${String(Buffer.byteLength(body))}\r\n` +
      `Connection: close\r\n\r\n${body}`,
    // Not left to a client that does not close its end.
    () => socket.destroy(),
  );
}

/** The answer to an earlier request of this connection, while it is not finished. */
function answerOnItsWay(socket: Socket): ServerResponse | undefined {
  // Node keeps it there, for its own handler of such errors.
  const { _httpMessage: answer } = socket as Socket & { _httpMessage?: ServerResponse | null };
  return answer?.writableFinished === false ? answer : undefined;
}

function bodyOf(messageName: MessageName): string {
  return JSON.stringify(errorBody({ messageName, members: {} }, 'reference'));
}
