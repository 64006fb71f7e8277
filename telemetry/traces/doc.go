// Package traces is what the two programs tell OpenTelemetry in the same way.
//
// Owns: the exporter, the span of a request that is answered, what traceparent says.
// Touches: the collector of OTEL_EXPORTER_OTLP_ENDPOINT. The library reads the other
// OTEL_ variables by itself.
// Never: puts a header, a query or a body into a span; makes anybody wait for the
// collector.
package traces
