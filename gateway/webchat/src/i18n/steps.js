// What tools do, in words. They come with what draws them, so both languages are here.

import { filledIn, language } from './language.js'

/**
 * English: to do it, doing it, done; then one and several of it. Chinese: to do it, then how many.
 * @typedef {[base: string, doing: string, done: string, one: string, several: string]} English
 */

/** @satisfies {Record<string, {en: English, zh: [base: string, counted: string]}>} */
export const verbs = {
  read: { en: ['read {x}', 'Reading {x}', 'Read {x}', 'read {n} file', 'read {n} files'], zh: ['读取 {x}', '读取了 {n} 个文件'] },
  write: { en: ['write {x}', 'Writing {x}', 'Wrote {x}', 'wrote {n} file', 'wrote {n} files'], zh: ['写入 {x}', '写入了 {n} 个文件'] },
  list: { en: ['look into {x}', 'Looking into {x}', 'Looked into {x}', 'looked into {n} folder', 'looked into {n} folders'], zh: ['查看文件夹 {x}', '查看了 {n} 个文件夹'] },
  listAll: { en: ['look into the workspace', 'Looking into the workspace', 'Looked into the workspace', 'looked into the workspace', 'looked into the workspace'], zh: ['查看工作区', '查看了工作区'] },
  find: { en: ['search the files for {x}', 'Searching the files for {x}', 'Searched the files for {x}', 'searched the files', 'searched the files {n} times'], zh: ['在文件中查找 {x}', '查找了 {n} 次文件'] },
  run: { en: ['run {x}', 'Running {x}', 'Ran {x}', 'ran {n} command', 'ran {n} commands'], zh: ['运行 {x}', '运行了 {n} 条命令'] },
  search: { en: ['search the web for {x}', 'Searching the web for {x}', 'Searched the web for {x}', 'searched the web', 'searched the web {n} times'], zh: ['在网上搜索 {x}', '在网上搜索了 {n} 次'] },
  open: { en: ['open {x}', 'Opening {x}', 'Opened {x}', 'opened {n} page', 'opened {n} pages'], zh: ['打开 {x}', '打开了 {n} 个网页'] },
  remember: { en: ['remember: {x}', 'Remembering: {x}', 'Remembered: {x}', 'remembered {n} thing', 'remembered {n} things'], zh: ['记住：{x}', '记住了 {n} 件事'] },
  recall: { en: ['search the memory for {x}', 'Searching the memory for {x}', 'Searched the memory for {x}', 'searched the memory', 'searched the memory {n} times'], zh: ['在记忆中查找 {x}', '查找了 {n} 次记忆'] },
  recallAll: { en: ['look through the memory', 'Looking through the memory', 'Looked through the memory', 'looked through the memory', 'looked through the memory'], zh: ['翻看记忆', '翻看了记忆'] },
  forget: { en: ['forget {x}', 'Forgetting {x}', 'Forgot {x}', 'forgot {n} thing', 'forgot {n} things'], zh: ['忘记 {x}', '忘记了 {n} 件事'] },
  time: { en: ['look at the clock', 'Looking at the clock', 'Looked at the clock', 'looked at the clock', 'looked at the clock'], zh: ['查看时间', '查看了时间'] },
  timeIn: { en: ['look up the time in {x}', 'Looking up the time in {x}', 'Looked up the time in {x}', 'looked at the clock', 'looked at {n} clocks'], zh: ['查看 {x} 的时间', '查看了 {n} 处时间'] },
  plan: { en: ['update the plan', 'Updating the plan', 'Updated the plan', 'updated the plan', 'updated the plan {n} times'], zh: ['更新计划', '更新了 {n} 次计划'] },
  skill: { en: ['read the skill {x}', 'Reading the skill {x}', 'Read the skill {x}', 'read {n} skill', 'read {n} skills'], zh: ['阅读技能 {x}', '阅读了 {n} 项技能'] },
  tools: { en: ['look for tools for {x}', 'Looking for tools for {x}', 'Looked for tools for {x}', 'looked for tools', 'looked for tools {n} times'], zh: ['查找工具：{x}', '查找了 {n} 次工具'] },
  use: { en: ['use {x}', 'Using {x}', 'Used {x}', 'used {n} other tool', 'used {n} other tools'], zh: ['使用 {x}', '使用了 {n} 次其他工具'] },
}

/** @typedef {keyof typeof verbs} Verb */
/** @typedef {'asks'|'running'|'ok'|'error'|'denied'|'skipped'|'interrupted'} Form */

/** What a verb is done to where nothing is named. @type {Partial<Record<Verb, {en: string, zh: string}>>} */
const things = {
  read: { en: 'a file', zh: '文件' }, write: { en: 'a file', zh: '文件' }, run: { en: 'a command', zh: '命令' }, open: { en: 'a page', zh: '网页' },
  find: { en: 'something', zh: '内容' }, search: { en: 'something', zh: '内容' }, remember: { en: 'something', zh: '内容' }, forget: { en: 'something', zh: '内容' },
  skill: { en: 'a skill', zh: '技能' }, tools: { en: 'something', zh: '用途' }, use: { en: 'a tool', zh: '工具' },
}

const upper = (/** @type {string} */ text) => text[0].toUpperCase() + text.slice(1)

/** Where the usual words for a failure would be wrong: the command ran. @type {Partial<Record<Verb, {en: string, zh: string}>>} */
const failures = { run: { en: 'Running {x} failed', zh: '运行 {x} 失败' } }

/** A sentence with a place for the thing, `{x}`, where it has one. @param {Verb} verb @param {Form} form @param {boolean} named whether something is named */
export function sentence(verb, form, named) {
  const zh = language.value === 'zh'
  const { en: [base, doing, done], zh: [does] } = verbs[verb]
  const gap = does.endsWith('}') ? ' ' : ''
  /** @type {Record<Form, string>} */
  const forms = zh
    ? { asks: `要${does}${gap}吗？`, running: `正在${does}`, ok: `已${does}`, error: `未能${does}`, denied: `未获允许：${does}`, skipped: `未执行：${does}`, interrupted: `正在${does}${gap}时被中断` }
    : { asks: `${upper(base)}?`, running: doing, ok: done, error: `Could not ${base}`, denied: `Not allowed to ${base}`, skipped: `Did not ${base}`, interrupted: `${doing}: interrupted` }
  forms.error = failures[verb]?.[zh ? 'zh' : 'en'] ?? forms.error
  const thing = things[verb]?.[zh ? 'zh' : 'en'] ?? ''
  return named ? forms[form] : forms[form].replace('{x}', thing)
}

/** @param {{verb: Verb, n: number}[]} counts */
export function counted(counts) {
  const zh = language.value === 'zh'
  return counts.map(({ verb, n }) => (zh ? verbs[verb].zh[1] : verbs[verb].en[n === 1 ? 3 : 4]).replace('{n}', String(n))).join(zh ? '，' : ', ')
}

/** @param {number} ms */
export function span(ms) {
  const zh = language.value === 'zh'
  const s = Math.round(ms / 1000)
  if (s < 60) return zh ? `${s} 秒` : `${s} s`
  const [min, rest] = [Math.floor(s / 60), s % 60]
  return zh ? `${min} 分${rest ? ` ${rest} 秒` : ''}` : `${min} min${rest ? ` ${rest} s` : ''}`
}

/** Where text of others came from, as the server names it: by the tool that gave it, or in a sentence of its own. @type {[RegExp, string, string][]} */
const origins = [
  [/^read_file$/, 'a file', '文件'], [/^(?:list_directory)$/, 'names of files', '文件名'], [/^files_search$/, 'a search in the files', '文件内容'], [/^exec_shell$/, 'output of a command', '命令输出'],
  [/^(?:memory_search|memory)$/, 'a memory', '记忆'], [/^(?:web_fetch)$/, 'a web page', '网页'], [/^web search: ([^]*)$/, 'a web search for $1', '网上搜索：$1'], [/^attachment ([^]*)$/, 'the attachment $1', '附件 $1'],
  [/^MCP server ([^]*), tool ([^]*)$/, '$1 › $2', '$1 › $2'], [/^what the MCP server ([^]*) says of its tools$/, 'what $1 says of its tools', '$1 对其工具的说明'], [/^the skill ([^]*)$/, 'the skill $1', '技能 $1'],
  [/^a memory that was saved while the model read what others wrote$/, 'a memory that was saved while the model read what others wrote', '模型读着他人文字时保存的记忆'],
  [/^a file that was written while the model read ([^]*)$/, 'a file that was written while the model read $1', '模型读着他人文字时写下的文件：$1'],
]

/** @param {string} source */
export function origin(source) {
  const found = origins.find(([form]) => form.test(source))
  return found ? source.replace(found[0], found[language.value === 'zh' ? 2 : 1]) : source
}

export const en = {
  steps: '{n} steps: {what}',
  more: 'Show {n} more',
  moreText: 'Show more: {n} characters are not shown',
  failed: '{n} failed',
  denied: '{n} not allowed',
  command: 'Command',
  content: 'Content',
  change: 'Change',
  address: 'Address',
  details: 'Details',
  result: 'Result',
  errors: 'Error output',
  exit: 'Exit code {n}',
  nothing: 'No output.',
  found: 'Results',
  files: 'Files',
  isNew: 'A new file, {n} lines',
  isNewOne: 'A new file, 1 line',
  isSame: 'The file stays as it is',
  changes: 'Changes the file: lines +{added} −{removed}',
  unchanged: '{n} unchanged lines',
  tooLarge: 'The file that is there is too large, or no text, to be compared. This is what it becomes:',
  notCompared: 'The file that is there could not be read. This is what it becomes:',
  comparing: 'Comparing with the file that is there…',
  encoded: 'This is the content in the encoding {x}, not as text.',
  runThis: 'Run this command?',
  rememberThis: 'Remember this?',
  openThis: 'Open this address?',
  askOf: '{n} of {of}',
  scope: 'Applies to exactly this:',
  until: 'Open until {time}',
  foreign: 'This is asked because the model has read text that others may have written. It may want what they want. It came from:',
  foreignNone: 'This is asked because the model has read text that others may have written. It may want what they want.',
  moreSources: 'and {n} more',
  longer: 'Allow for longer: {what}',
  once: 'Allow once',
  turn: 'Until this answer is done',
  session: 'For this conversation',
  remember_7d: 'For 7 days',
  deny: 'Deny',
  covers_write: 'covers whatever is written to this file',
  covers_run: 'covers exactly this command',
  covers_tool: 'covers every call of this tool, whatever its arguments, while its definition stays as it is',
  covers_other: 'covers exactly this, again',
  allowed_once: 'Allowed once',
  allowed_turn: 'Allowed until this answer was done',
  allowed_session: 'Allowed for this conversation',
  allowed_remember_7d: 'Allowed for 7 days',
  allowed_deny: 'Denied',
  expired: 'Nobody decided in time',
  thinking: 'Thinking… {time}',
  thought: 'Thought for {time}',
  thoughtOnce: 'Thought',
  thoughtCut: 'The thought is longer; the rest is not shown.',
  plan: 'Plan',
  planDone: '{n} of {of} done',
  task_open: 'open',
  task_doing: 'in work',
  task_done: 'done',
  summary: 'Earlier messages were summarised',
  summaryHint: 'The messages above stay here; the model reads this in their place.',
}

/** @type {typeof en} */
export const zh = {
  steps: '{n} 个步骤：{what}',
  more: '再显示 {n} 项',
  moreText: '继续显示：还有 {n} 个字符未显示',
  failed: '{n} 个失败',
  denied: '{n} 个未获允许',
  command: '命令',
  content: '内容',
  change: '改动',
  address: '网址',
  details: '详情',
  result: '结果',
  errors: '错误输出',
  exit: '退出码 {n}',
  nothing: '没有输出。',
  found: '搜索结果',
  files: '文件',
  isNew: '新文件，{n} 行',
  isNewOne: '新文件，1 行',
  isSame: '文件内容不变',
  changes: '修改文件：+{added} −{removed} 行',
  unchanged: '{n} 行未改动',
  tooLarge: '现有文件太大或不是文本，无法比较。以下是写入后的内容：',
  notCompared: '无法读取现有文件。以下是写入后的内容：',
  comparing: '正在与现有文件比较…',
  encoded: '以下内容以 {x} 编码显示，不是文本。',
  runThis: '要运行这条命令吗？',
  rememberThis: '要记住以下内容吗？',
  openThis: '要打开这个网址吗？',
  askOf: '第 {n} 个，共 {of} 个',
  scope: '适用范围（逐字）：',
  until: '有效期至 {time}',
  foreign: '之所以询问，是因为模型读过可能由他人写下的文字，它的意图可能来自这些文字。来源：',
  foreignNone: '之所以询问，是因为模型读过可能由他人写下的文字，它的意图可能来自这些文字。',
  moreSources: '以及另外 {n} 处',
  longer: '更长时间的许可：{what}',
  once: '允许一次',
  turn: '直到这次回答结束',
  session: '本次对话内允许',
  remember_7d: '7 天内允许',
  deny: '拒绝',
  covers_write: '适用于对这个文件的任何写入',
  covers_run: '仅适用于完全相同的命令',
  covers_tool: '在工具定义不变时，适用于这个工具的任何调用，无论参数是什么',
  covers_other: '仅适用于完全相同的操作',
  allowed_once: '已允许一次',
  allowed_turn: '已允许，直到那次回答结束',
  allowed_session: '已允许（本次对话内）',
  allowed_remember_7d: '已允许（7 天内）',
  allowed_deny: '已拒绝',
  expired: '无人及时决定',
  thinking: '思考中… {time}',
  thought: '思考了 {time}',
  thoughtOnce: '思考过程',
  thoughtCut: '思考过程更长，其余未显示。',
  plan: '计划',
  planDone: '已完成 {n}/{of}',
  task_open: '待办',
  task_doing: '进行中',
  task_done: '已完成',
  summary: '较早的消息已被概括',
  summaryHint: '上面的消息仍然保留；模型读到的是以下概括。',
}

/** @typedef {keyof typeof en} Key */

/** @param {Key} key @param {Record<string, string|number>} [values] */
export function w(key, values) {
  return filledIn((language.value === 'zh' ? zh : en)[key], values)
}
