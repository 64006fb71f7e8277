// Package model chooses the model that answers: the provider that is
// configured, several in a row where a list is, or the offline model.
//
// Owns: which provider counts as configured, the failover between several, and
// what GET /api/models says.
// Touches: nothing but the packages below it: langchain, anthropic and offline.
// Never: reads the environment, or fails for want of a key: then the offline
// model answers, and says so.
package model
