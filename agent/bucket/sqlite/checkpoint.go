package sqlite

import (
	"context"
	"time"
)

const (
	// checkpointAfter is after how many pages the log is written back: as SQLite
	// does by itself, but after the writes have been acknowledged.
	checkpointAfter = 1000
	// longLog is from how many pages on the log is emptied, although that keeps
	// readers waiting for a moment: something has kept it from being begun anew.
	longLog = 16384
	// emptyTime bounds that. Whoever reads for longer, as a backup does, is left
	// alone, and the log goes on growing meanwhile.
	emptyTime = 100 * time.Millisecond
)

// checkpoint writes the log back into the database when there is enough of it. One
// that fails loses nothing, since the log has everything; it is tried again later.
func (s *Store) checkpoint() {
	if s.sinceCheckpoint < checkpointAfter || s.writer == nil {
		return
	}
	s.sinceCheckpoint = 0
	var busy, pages, back int
	if err := s.writer.conn.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &back); err != nil || pages < longLog {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), emptyTime)
	defer cancel()
	_ = s.writer.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &back) // tried again later
}
