"""What must hold when the machine fails: kills, full disks, failing disks and lost power, at every call that writes."""
