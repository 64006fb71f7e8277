// Package docs holds the tests that compare the documentation with the code: a
// page that has drifted from what runs fails here.
//
// Owns: nothing but tests.
// Touches: the repository's files, to read them; bash, to parse examples.
// Never: imports the gateway or the agent. It reads their source, so that it
// sees what is written there and not what a build leaves of it.
package docs
