"""ROS 2 without an installation of ROS: its messages over Zenoh, as rmw_zenoh_cpp has them on the wire."""
