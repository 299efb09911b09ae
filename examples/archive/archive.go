package main

import (
	"github.com/stentgo/stent/core"
)

// The workflow and its activities. Their names are stored with every archive; they stay when a function is renamed.
var (
	archiveFolder = core.NewWorkflow[Job, Summary]("archive_folder")

	listFolder    = core.NewActivity[Job, Listing]("list_folder", core.Retry(patience))
	compressFile  = core.NewActivity[File, Entry]("compress_file", core.Retry(patience))
	writeManifest = core.NewActivity[Manifest, Summary]("write_manifest", core.Retry(patience))
)

// parallel is how many files are given out at once. It is part of the workflow and so the same on every machine, and
// large enough to keep all slots of any of them busy.
const parallel = 64

// archive is the workflow. It runs from the top whenever a process takes it up: the calls that are completed return
// what the database holds, and the first one that is not goes on.
//
// A file that cannot be archived ends the archive after its attempts: a full disk or a cable that was pulled would
// otherwise fail thousands of files one by one. Nothing is lost by that: when the cause is gone, the same archive goes
// on with that file and the rest.
func archive(flow *core.Flow, job Job) (Summary, error) {
	listing, err := listFolder.Call(flow, job)
	if err != nil {
		return Summary{}, err
	}
	if err := flow.State(filesTotal).Set(len(listing.Files)); err != nil { // for the progress, and for `stent show`
		return Summary{}, err
	}

	files := make([]File, len(listing.Files))
	for i, path := range listing.Files {
		files[i] = File{Source: job.Source, Dest: job.Dest, Path: path}
	}
	entries, err := compressFile.Map(flow, files, core.Parallel(parallel))
	if err != nil {
		return Summary{}, err
	}
	return writeManifest.Call(flow, Manifest{Dest: job.Dest, Entries: append(entries, listing.Others...)})
}

// filesTotal is the name of the custom state that holds how many files there are to compress.
const filesTotal = "files_total"

// Job is what to archive. The paths are absolute: another process, started in another folder, may go on with it.
type Job struct {
	Source Path `json:"source"`
	Dest   Path `json:"dest"`
}

// Listing is what a folder holds, sorted by path.
type Listing struct {
	Files  []Path  `json:"files"`
	Others []Entry `json:"others,omitempty"` // what goes into the manifest without a file: symbolic links, for example
}

// File is one file to compress.
type File struct {
	Source Path `json:"source"`
	Dest   Path `json:"dest"`
	Path   Path `json:"path"` // below Source
}

// Manifest is what the manifest is written from.
type Manifest struct {
	Dest    Path    `json:"dest"`
	Entries []Entry `json:"entries"`
}

// Entry is one line of the manifest: a file, a symbolic link, or something that was left out.
type Entry struct {
	Path       Path   `json:"path"` // below the source
	Size       int64  `json:"size"`
	SHA256     string `json:"sha256,omitempty"`
	Compressed int64  `json:"compressed,omitempty"` // bytes of the compressed file, which object names
	Symlink    Path   `json:"symlink,omitempty"`    // where it points; links are kept and not followed
	LeftOut    string `json:"left_out,omitempty"`   // why it is not in the archive
}

// Summary is what an archive comes to.
type Summary struct {
	Files      int   `json:"files"`
	Bytes      int64 `json:"bytes"`
	Compressed int64 `json:"compressed"`
	Symlinks   int   `json:"symlinks"`
	LeftOut    int   `json:"left_out"`
}

// with counts one more entry.
func (s Summary) with(e *Entry) Summary {
	switch {
	case e.LeftOut != "":
		s.LeftOut++
	case e.Symlink != "":
		s.Symlinks++
	default:
		s.Files++
		s.Bytes += e.Size
		s.Compressed += e.Compressed
	}
	return s
}
