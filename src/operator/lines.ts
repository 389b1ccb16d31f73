/** Between two lines. */
const LINE_FEED = 0x0a;

/** A line of a file, without what ends it; without bytes if there were too many. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly bytes: Buffer | undefined;
}

/**
 * The lines of a stream, one after the other.
 *
 * @param maxBytes longest line; of a longer one, nothing is kept in memory
 */
export async function* linesOf(
  stream: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<Line> {
  const parts: Buffer[] = [];
  let number = 1;
  let length = 0;
  const add = (part: Buffer): void => {
    length += part.length;
    if (length <= maxBytes) parts.push(part);
    else parts.length = 0;
  };
  const line = (): Line => ({
    number,
    bytes: length <= maxBytes ? Buffer.concat(parts) : undefined,
  });
  for await (const chunk of stream) {
    let begin = 0;
    for (let end; (end = chunk.indexOf(LINE_FEED, begin)) !== -1; begin = end + 1) {
      add(chunk.subarray(begin, end));
      yield line();
      number += 1;
      length = 0;
      parts.length = 0;
    }
    // Of its own: a slice keeps the whole chunk, which the stream may use again.
    add(Buffer.from(chunk.subarray(begin)));
  }
  if (length > 0) yield line();
}
