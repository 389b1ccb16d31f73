import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type PeerCertificate } from 'node:tls';
import { hostOf } from './place';

/** For a connection to an address; what takes longer is of no use to anybody. */
const CONNECT_MS = 4000;

/** The way to a host, as far as TLS. */
export interface Way {
  readonly addresses: readonly string[];
  /** Addresses of the host that nothing answers at, and Node's code for it. */
  readonly silent: readonly { readonly address: string; readonly code: string }[];
  /** Of HTTPS. */
  readonly tls?: Tls;
}

/** What was agreed on with a server. */
export interface Tls {
  readonly protocol: string;
  readonly certificate: PeerCertificate;
  /** OpenSSL's or Node's code of what is wrong with the certificate. */
  readonly error: string | undefined;
}

/** There is no way to a host: the message says which step failed. */
export class NoWay extends Error {
  override readonly name = 'NoWay';

  constructor(
    message: string,
    readonly todo: string,
  ) {
    super(message);
  }
}

/**
 * Goes the way to a host step by step: its name, each of its addresses, TLS.
 *
 * @throws NoWay where it ends
 */
export async function findWay(url: URL): Promise<Way> {
  const host = hostOf(url);
  const port = portOf(url);
  const addresses = await addressesOf(host);
  const tried = await Promise.all(
    addresses.map(async (address) => ({ address, code: await tryAddress(address, port) })),
  );
  const silent = tried.flatMap(({ address, code }) =>
    code === undefined ? [] : [{ address, code }],
  );
  const [open] = tried.filter(({ code }) => code === undefined);
  if (open === undefined) {
    const [{ code } = { code: '' }] = silent;
    throw new NoWay(
      `TCP: nothing answers at ${addresses.join(' or ')}, port ${String(port)} (${code})`,
      code === 'ECONNREFUSED'
        ? 'Start the proxy, or have it listen on that port; look at its log'
        : 'Look whether the machine is up, at the firewall, and whether the address of the name is still its own',
    );
  }
  if (url.protocol !== 'https:') return { addresses, silent };
  const tls = await shakeHands({ host: open.address, port, ...nameOf(host) });
  return { addresses, silent, tls };
}

/** Port of a URL, said or not. */
export function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

async function addressesOf(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new NoWay(
      `DNS: the name ${host} has no address here (${code})`,
      code === 'EAI_AGAIN'
        ? 'No name server answers this machine: look at /etc/resolv.conf and at the network'
        : 'Look for a mistake in the name, and at its A and AAAA records',
    );
  }
}

/** @returns Node's code of why there is no connection; undefined when there is */
async function tryAddress(host: string, port: number): Promise<string | undefined> {
  const socket = connectTcp({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_MS) });
    return undefined;
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    return name === 'AbortError' ? 'no answer' : (code ?? name);
  } finally {
    socket.destroy();
  }
}

async function shakeHands(options: ConnectionOptions): Promise<Tls> {
  const socket = connectTls({ ...options, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(CONNECT_MS) });
    // By its type an error, it is the code of one.
    const error: unknown = socket.authorizationError;
    return {
      protocol: socket.getProtocol() ?? '',
      certificate: socket.getPeerCertificate(),
      error: socket.authorized ? undefined : String(error),
    };
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    throw new NoWay(
      `TLS: no handshake with port ${String(options.port)} (${name === 'AbortError' ? 'no answer' : (code ?? name)})`,
      code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'EPROTO'
        ? 'What listens there does not speak TLS: give it its certificate and key, or ask by http://'
        : 'Look at the log of the proxy: it may have no certificate for this name, or speak nothing newer than TLS 1.1',
    );
  } finally {
    socket.destroy();
  }
}

/** Whether a server agrees to TLS older than 1.2, which RFC 8996 forbids. */
export async function takesOldTls(url: URL): Promise<boolean> {
  const host = hostOf(url);
  const socket = connectTls({
    host,
    port: portOf(url),
    ...nameOf(host),
    rejectUnauthorized: false,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    // OpenSSL itself would not try otherwise.
    ciphers: 'DEFAULT:@SECLEVEL=0',
  });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(CONNECT_MS) });
    return true;
  } catch {
    // Refused, as it should be, in one of many ways.
    return false;
  } finally {
    socket.destroy();
  }
}

/** The name that a server chooses its certificate by; an address is none (RFC 6066 §3). */
function nameOf(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}
