// Asks the agent's own server of the Model Context Protocol with the SDK for
// TypeScript, and prints what it saw. Usage: node client.mjs URL TOKEN MESSAGE
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

const [url, token, message] = process.argv.slice(2)

const connect = async (/** @type {string} */ bearer) => {
  const client = new Client({ name: 'end-to-end', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { Authorization: `Bearer ${bearer}` } } }))
  return client
}

/** @type {any} */
const saw = {}
try {
  await connect('wrong-token-of-nobody')
} catch (e) {
  saw.refused = String(e)
}
const client = await connect(token)
saw.server = client.getServerVersion()
saw.tools = (await client.listTools()).tools.map((t) => t.name).sort()
const call = async (/** @type {string} */ name, /** @type {any} */ args) => {
  const result = /** @type {any} */ (await client.callTool({ name, arguments: args }))
  return result.isError ? { error: result.content[0].text } : result.structuredContent
}
const sent = await call('session_send', { message })
for (;;) {
  saw.run = await call('run_wait', { session: sent.session, runId: sent.runId, cursor: sent.cursor, seconds: 5 })
  if (saw.run.status !== 'running') break
}
saw.history = (await call('session_history', { session: sent.session })).messages.length
saw.sessions = (await call('sessions_list', {})).sessions.map((/** @type {any} */ s) => s.id)
saw.session = sent.session
saw.missing = await call('session_history', { session: 'nowhere' })
await client.close()
console.log(JSON.stringify(saw))
