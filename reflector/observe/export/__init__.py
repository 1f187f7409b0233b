"""What other tools read: MRT, pcap, BMP, ExaBGP's JSON."""
