// Package trace follows a request through the native gateway, for OpenTelemetry.
//
// Owns: the spans of the gateway, their names and attributes; the exporter; what
// traceparent says on the way in and on the way to the agent.
// Touches: the collector of OTEL_EXPORTER_OTLP_ENDPOINT. The library reads the other
// OTEL_ variables by itself.
// Never: puts a header, a query, a body, a user or a path that is no template into a
// span; makes a request wait for the collector.
package trace
