// Makes the unfinished end of a streaming answer look as it will: closes what is
// open, hides what cannot be read yet. Only for painting; the text itself stays.

/** @param {string} text the last block, still growing @returns {string} */
export function mend(text) {
  if (inFence(text)) return text
  let out = text
  // "- ", "#", "1." alone on the last line: nothing to see yet, and "-" or "="
  // below a paragraph would turn it into a heading for a moment.
  out = out.replace(/(^|\n)[ \t]*([-*+=#>]+|\d+[.)])?[ \t]*$/, '$1').replace(/\n+$/, '')
  out = out.replace(/!?\[([^\]\n]*)(\](\([^)\n]*)?)?$/, (all, label, closed) => (closed === ']' ? all : all[0] === '!' ? '' : label))
  // A table needs its whole second line before it is one.
  if (/^\|[^\n]*(\n\|?[-:| ]*)?$/.test(out)) return ''
  return closeMarks(out)
}

/** @param {string} text */
function inFence(text) {
  let open = ''
  for (const line of text.split('\n')) {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1]
    if (!mark) continue
    if (!open) open = mark
    else if (mark[0] === open[0] && mark.length >= open.length) open = ''
  }
  return open !== ''
}

/** @param {string} text */
function closeMarks(text) {
  const lastLine = text.slice(text.lastIndexOf('\n\n') + 1)
  const ticks = lastLine.replace(/```/g, '').split('`').length - 1
  if (ticks % 2 === 1) return text.endsWith('`') ? text.slice(0, -1) : text + '`'
  const plain = lastLine.replace(/`[^`]*`/g, '')
  let out = text
  for (const mark of ['**', '~~']) {
    if ((plain.split(mark).length - 1) % 2 === 0) continue
    out = out.endsWith(mark) ? out.slice(0, -mark.length) : out.trimEnd() + mark
  }
  return out
}
