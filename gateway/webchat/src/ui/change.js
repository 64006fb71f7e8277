// What a file becomes: its lines, beside those that are there now.

import { html } from 'htm/preact'
import { useEffect, useState } from 'preact/hooks'
import { linesOf, rowsOf } from '../chat/clip.js'
import { w } from '../i18n/steps.js'
import { readText } from '../app/files.js'
import { Rows } from './exact.js'

/** @typedef {import('../app/files.js').Content} Content */

/** Versions that differ in more lines are shown one without the other. */
const EDITS = 2000
/** How long a comparison may take, in ms. */
const PATIENCE = 300
/** What files held when somebody was asked, so that it can be compared afterwards. */
const KEPT = 20
/** By the question: calls of different answers may have the same id. @type {Map<string, Content>} */
const before = new Map()

/** @param {string} approvalId @param {Content} content */
function keep(approvalId, content) {
  before.set(approvalId, content)
  if (before.size > KEPT) before.delete(before.keys().next().value ?? '')
}

/** @param {string} old @param {string} now */
async function compare(old, now) {
  const { diffLines } = await import('../chat/difference.js')
  // Models leave the last line without an end: that changes no line.
  const changes = diffLines(old, now, { maxEditLength: EDITS, timeout: PATIENCE, ignoreNewlineAtEof: true })
  return changes && rowsOf(changes)
}

/** @param {{approvalId: string, path: string, content: string, asks: boolean}} props asks: it is not written yet */
export function Change({ approvalId, path, content, asks }) {
  const [old, setOld] = useState(/** @type {Content|undefined} */ (before.get(approvalId)))
  const [change, setChange] = useState(/** @type {ReturnType<typeof rowsOf>|null} */ (null))
  useEffect(() => {
    if (!asks || before.has(approvalId)) return
    let gone = false
    readText(path).then((read) => {
      keep(approvalId, read)
      if (!gone) setOld(read)
    })
    return () => { gone = true }
  }, [approvalId, path])
  useEffect(() => {
    if (!old || !('text' in old) || old.text === content) return
    let gone = false
    compare(old.text, content).then((found) => { if (!gone && found) setChange(found) }, () => {})
    return () => { gone = true }
  }, [old, content])
  const lines = linesOf(content)
  const whole = html`<${Rows} rows=${lines.map((text) => ({ sign: ' ', text }))} label=${w('content')} />`
  /** @param {string} text @param {unknown} body */
  const said = (text, body) => html`<p class="label" role="status">${text}</p>${body}`
  if (!old) return asks ? said(w('comparing'), whole) : whole
  if ('why' in old) return said(old.why === 'missing' ? lines.length === 1 ? w('isNewOne') : w('isNew', { n: lines.length }) : w(old.why === 'unfit' ? 'tooLarge' : 'notCompared'), whole)
  if (old.text === content) return said(w('isSame'), whole)
  if (!change) return said(w('comparing'), whole)
  if (!change.added && !change.removed) return said(w('isSame'), whole)
  return said(w('changes', { added: change.added, removed: change.removed }), html`<${Rows} rows=${change.rows} label=${w('change')} />`)
}
