// Reads a text/event-stream. Bytes come in any cut; events go out whole.

/** @typedef {{id: string, type: string, data: string}} ServerEvent */

/** What stood in an unfinished event when a stream breaks is dropped: the cursor did not move past it. */
export class EventParser {
  /** @param {(event: ServerEvent) => void} emit @param {(comment: string) => void} remark */
  constructor(emit, remark = () => {}) {
    this.emit = emit
    this.remark = remark
    this.decoder = new TextDecoder('utf-8')
    this.rest = ''
    this.afterCR = false
    this.lastId = ''
    this.reset()
  }

  reset() {
    this.type = ''
    /** @type {string[]} */
    this.data = []
  }

  /** @param {Uint8Array} bytes */
  push(bytes) {
    let text = this.decoder.decode(bytes, { stream: true })
    if (text === '') return
    if (this.afterCR && text[0] === '\n') text = text.slice(1)
    this.afterCR = text.endsWith('\r') || (text === '' && this.afterCR)
    const lines = (this.rest + text).split(/\r\n|\n|\r/)
    this.rest = lines.pop() ?? ''
    for (const line of lines) this.line(line)
  }

  /** @param {string} line */
  line(line) {
    if (line === '') {
      if (this.data.length > 0) this.emit({ id: this.lastId, type: this.type || 'message', data: this.data.join('\n') })
      this.reset()
      return
    }
    if (line[0] === ':') return this.remark(line.slice(1).trim())
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    let value = colon < 0 ? '' : line.slice(colon + 1)
    if (value[0] === ' ') value = value.slice(1)
    if (name === 'data') this.data.push(value)
    else if (name === 'event') this.type = value
    else if (name === 'id' && !value.includes('\0')) this.lastId = value
  }
}
