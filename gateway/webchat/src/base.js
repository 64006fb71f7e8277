// What the first load holds. Each part that comes later imports it, so that what they
// share is one file: a bundler makes one for each set of parts that share something,
// and a dozen small files are a dozen requests, and 3 kB more with gzip.

import './ui/app.js'
import './app/theme.js'
