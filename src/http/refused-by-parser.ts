import { type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { errorBody } from '../errors/error-response';
import type { MessageName } from '../errors/messages';

/** Codes of Node's HTTP parser and of its time limits; all else is a bad request. */
const REFUSALS: Readonly<Record<string, { status: number; messageName: MessageName }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, messageName: 'headersTooLarge' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, messageName: 'bodyTooLarge' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, messageName: 'requestTimeout' },
};

/**
 * Gives what Node's HTTP parser refuses the form of every other error. There is no request yet, so
 * no language either.
 */
export function answerRefusedRequests(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const { status, messageName } = REFUSALS[error.code ?? ''] ?? {
      status: 400,
      messageName: 'badRequest' as const,
    };
    const body = JSON.stringify(errorBody({ messageName, members: {} }, 'reference'));
    socket.end(
      `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\n` +
        'Content-Type: application/json\r\n' +
        `Content-Length: ${String(Buffer.byteLength(body))}\r\n` +
        `Connection: close\r\n\r\n${body}`,
    );
  });
}
