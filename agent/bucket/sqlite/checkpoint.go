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
	// restTime is how long nothing is written before what was deleted goes from the
	// log, too.
	restTime = 250 * time.Millisecond
)

// checkpoint writes the log back into the database when there is enough of it. One
// that fails loses nothing, since the log has everything; it is tried again later.
func (s *Store) checkpoint() {
	if s.sinceCheckpoint < checkpointAfter {
		return
	}
	s.sinceCheckpoint = 0
	var busy, pages, back int64
	err := s.anchor.numbers(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)", &busy, &pages, &back)
	if err == nil && pages >= longLog {
		s.emptyLog()
	}
}

// emptyLog writes the log back and truncates it, unless somebody reads meanwhile.
func (s *Store) emptyLog() {
	ctx, cancel := context.WithTimeout(context.Background(), emptyTime)
	defer cancel()
	var busy, pages, back int64
	err := s.anchor.numbers(ctx, "PRAGMA wal_checkpoint(TRUNCATE)", &busy, &pages, &back)
	if err != nil || busy != 0 {
		s.sinceCheckpoint = checkpointAfter // with the next write
	}
}

// rest waits for the next write. When something was deleted and none comes for a
// while, the log is emptied: SQLite overwrites what is deleted in the database, but
// its log keeps the pages as they were until it is begun anew.
func (s *Store) rest() {
	if !s.deleted {
		<-s.wake
		return
	}
	t := time.NewTimer(restTime)
	defer t.Stop()
	select {
	case <-s.wake:
	case <-t.C:
		s.deleted = false
		s.emptyLog()
	}
}
