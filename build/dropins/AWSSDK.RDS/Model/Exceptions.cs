using System.Net;
using Amazon.Runtime;

namespace Amazon.RDS.Model;

/// <summary>The service answered <c>DBClusterNotFoundFault</c>.</summary>
public partial class DBClusterNotFoundException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>DBClusterSnapshotAlreadyExistsFault</c>.</summary>
public partial class DBClusterSnapshotAlreadyExistsException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>DBClusterSnapshotNotFoundFault</c>.</summary>
public partial class DBClusterSnapshotNotFoundException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>DBInstanceAlreadyExists</c>.</summary>
public partial class DBInstanceAlreadyExistsException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>DBInstanceNotFound</c>.</summary>
public partial class DBInstanceNotFoundException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>DBParameterGroupNotFound</c>.</summary>
public partial class DBParameterGroupNotFoundException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>DBSnapshotAlreadyExists</c>.</summary>
public partial class DBSnapshotAlreadyExistsException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>DBSnapshotNotFound</c>.</summary>
public partial class DBSnapshotNotFoundException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>DBSubnetGroupNotFoundFault</c>.</summary>
public partial class DBSubnetGroupNotFoundException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>InstanceQuotaExceeded</c>.</summary>
public partial class InstanceQuotaExceededException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>InsufficientDBInstanceCapacity</c>.</summary>
public partial class InsufficientDBInstanceCapacityException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>InvalidDBClusterSnapshotStateFault</c>.</summary>
public partial class InvalidDBClusterSnapshotStateException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>InvalidDBClusterStateFault</c>.</summary>
public partial class InvalidDBClusterStateException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>InvalidDBInstanceState</c>.</summary>
public partial class InvalidDBInstanceStateException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>InvalidDBSnapshotState</c>.</summary>
public partial class InvalidDBSnapshotStateException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>InvalidRestoreFault</c>.</summary>
public partial class InvalidRestoreException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>KMSKeyNotAccessibleFault</c>.</summary>
public partial class KMSKeyNotAccessibleException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>OptionGroupNotFoundFault</c>.</summary>
public partial class OptionGroupNotFoundException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>SnapshotQuotaExceeded</c>.</summary>
public partial class SnapshotQuotaExceededException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);

/// <summary>The service answered <c>StorageQuotaExceeded</c>.</summary>
public partial class StorageQuotaExceededException(string message, Exception innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
    : AmazonRDSException(message, innerException, errorType, errorCode, requestId, statusCode);
