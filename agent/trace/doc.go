// Package trace follows a request into the run that it starts, and the run to the
// model, the tools and the store, for OpenTelemetry.
//
// Owns: the spans of the agent, their names and attributes; the exporter; what
// traceparent says on the way in and on the way to a provider.
// Touches: the collector of OTEL_EXPORTER_OTLP_ENDPOINT. The library reads the other
// OTEL_ variables by itself.
// Never: puts a header, a query, a body, a user, a session, a key of the store or a
// word of a conversation into a span; makes anybody wait for the collector.
package trace
